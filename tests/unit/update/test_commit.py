"""When an update is committed, when it is waited for, and when it is left."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.contract.bundle import UpdateError
from cleandesk.update import health
from cleandesk.update.commit import commit
from cleandesk.update.health import (
    BREAK_WITHIN_S,
    CAMERA_WITHIN_S,
    LINK_WITHIN_S,
    LONGEST_S,
    STARTS_UP_S,
    STEADY_S,
    Verdict,
)
from cleandesk.update.standing import Here, stands
from cleandesk.update.told import Step
from cleandesk.watchdog import CameraWord, Word
from image.debian import HERE
from tests.unit.update.trials import LATE_S, WELL, Trial

WORDS = st.builds(Word, st.sampled_from(CameraWord), st.booleans())
REST = Word(CameraWord.STOPPED, link=True)


def test_it_is_committed_when_all_is_healthy_that_was(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {60: Word(CameraWord.FAILS, link=False), 90: WELL}
    assert trial.commit()
    assert trial.marked == ["mark-good"]
    assert 90 + STEADY_S <= trial.now < 90 + STEADY_S + LATE_S
    assert (trial.told.step, trial.told.untried) == (Step.COMMITTED, False)


@pytest.mark.parametrize(
    "after", [None, Word(CameraWord.FAILS, link=True), Word(CameraWord.FAILS, link=False)]
)
def test_a_camera_that_worked_and_does_not_any_more_is_no_success(
    trial: Trial, after: Word | None
) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {} if after is None else {30: after}
    assert not trial.commit()
    assert trial.marked == ["mark-bad"]
    assert CAMERA_WITHIN_S <= trial.now < CAMERA_WITHIN_S + 10
    assert trial.told.lost is not None
    assert str(trial.told.lost).startswith("0.1.300: left: ")
    assert "did not get healthy in 10 minutes" in trial.told.lost.why


def test_a_router_that_is_away_for_half_an_hour_costs_no_update(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {30: Word(CameraWord.WORKS, link=False), LINK_WITHIN_S / 2: WELL}
    assert trial.commit()


def test_a_network_that_does_not_come_back_does(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {30: Word(CameraWord.WORKS, link=False)}
    assert not trial.commit()
    assert LINK_WITHIN_S <= trial.now < LINK_WITHIN_S + 10


@pytest.mark.parametrize("before", [WELL, Word(CameraWord.RESTS, link=True)])
def test_the_end_of_a_break_is_waited_for_and_then_the_camera_must_work(
    trial: Trial, before: Word
) -> None:
    health.remember(trial.places.before, before)
    trial.becomes = {30: REST, 1800: Word(CameraWord.FAILS, link=True), 1830: WELL}
    assert trial.commit()
    assert 1830 + STEADY_S <= trial.now < 1830 + STEADY_S + LATE_S
    assert not trial.told.untried


def test_a_camera_that_fails_after_the_break_costs_the_update(trial: Trial) -> None:
    health.remember(trial.places.before, Word(CameraWord.RESTS, link=True))
    trial.becomes = {30: REST, 1800: Word(CameraWord.FAILS, link=True)}
    assert not trial.commit()
    assert 1800 + CAMERA_WITHIN_S - 5 <= trial.now < 1800 + CAMERA_WITHIN_S + 10


def test_a_break_that_goes_on_is_told_with_the_commit(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {30: REST}
    assert trial.commit()
    assert BREAK_WITHIN_S <= trial.now < BREAK_WITHIN_S + 10
    assert (trial.told.step, trial.told.untried) == (Step.COMMITTED, True)
    runs = Here(runs="0.1.300", boot="b" * 32, trial=False)
    assert "break" in (stands(runs, trial.told).untried or "")
    assert stands(replace(runs, runs="0.1.400"), trial.told).untried is None


@pytest.mark.parametrize(
    ("fails_s", "again_s", "committed"),
    [(CAMERA_WITHIN_S - 60, 0, False), (90, 90, False), (STARTS_UP_S - 60, 0, True)],
)
def test_a_camera_that_was_seen_to_fail_is_not_committed_as_untried(
    trial: Trial, fails_s: float, again_s: float, *, committed: bool
) -> None:
    health.remember(trial.places.before, WELL)
    fails = Word(CameraWord.FAILS, link=True)
    trial.becomes = {0: fails, fails_s: REST, 900: fails, 900 + again_s: REST}
    assert trial.commit() == committed
    assert BREAK_WITHIN_S <= trial.now < BREAK_WITHIN_S + 10
    if not committed:
        assert trial.told.lost is not None
        assert "camera did not get healthy in 45 minutes" in trial.told.lost.why


def test_a_camera_that_worked_since_it_failed_costs_no_update_in_a_break(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    fails = Word(CameraWord.FAILS, link=True)
    trial.becomes = {0: fails, 300: WELL, 330: REST}
    assert trial.commit()
    assert trial.told.untried


@pytest.mark.parametrize("camera", [CameraWord.STOPPED, CameraWord.FAILS])
def test_a_camera_that_did_not_work_before_is_not_waited_for_in_a_break(
    trial: Trial, camera: CameraWord
) -> None:
    health.remember(trial.places.before, Word(camera, link=True))
    trial.becomes = {0: REST}
    assert trial.commit()
    assert trial.now < STEADY_S + LATE_S
    assert trial.told.untried == (camera is CameraWord.STOPPED), "nobody knows whether it worked"


def test_a_camera_that_worked_on_trial_is_tried_whatever_break_begins(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {30: WELL, 60: Word(CameraWord.RESTS, link=True)}
    assert trial.commit()
    assert trial.now < 30 + STEADY_S + LATE_S
    assert not trial.told.untried


def test_all_is_decided_before_the_last_resort() -> None:
    rauc = _minutes("rauc.service.d/20-rauc.conf", "TimeoutStartSec")
    commit_starts = _minutes("cleandesk-commit.service", "TimeoutStartSec")
    assert commit_starts > rauc, "what RAUC takes to start is no fault of the update"
    last = _minutes("cleandesk-rollback.timer", "OnBootSec")
    assert last * 60 >= LONGEST_S + 60 * commit_starts + 600, (
        "the data may take ten minutes to come"
    )


def _minutes(unit: str, key: str) -> int:
    said = re.search(
        rf"^{key}=(\d+)min$", (HERE.parent / "systemd" / unit).read_text(), re.MULTILINE
    )
    assert said, f"{unit}: {key}"
    return int(said[1])


def test_a_machine_without_a_box_is_committed_at_once(trial: Trial) -> None:
    health.remember(trial.places.before, None)
    trial.places.settings.unlink()
    assert trial.commit()
    assert trial.now == 0


def test_a_box_that_did_not_run_before_need_not_run_after(trial: Trial) -> None:
    health.remember(trial.places.before, None)
    assert trial.commit()


@pytest.mark.parametrize("spoil", [b"", b"damaged"])
def test_where_nobody_knows_what_was_healthy_all_must_be(trial: Trial, spoil: bytes) -> None:
    trial.places.before.write_bytes(spoil)
    trial.becomes = {30: Word(CameraWord.FAILS, link=True)}
    assert not trial.commit()


@pytest.mark.parametrize("after", [WELL, Word(CameraWord.FAILS, link=True)])
def test_what_was_healthy_before_is_forgotten_with_the_commit_alone(
    trial: Trial, after: Word
) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {0: after}
    assert trial.commit() != trial.places.before.exists()
    assert trial.marked == ["mark-good" if after == WELL else "mark-bad"]


def test_a_disk_that_does_not_let_go_of_it_keeps_no_update_from_staying(trial: Trial) -> None:
    (trial.places.before / "in the way").mkdir(parents=True)
    trial.places.settings.unlink()
    assert trial.commit()
    assert trial.told.step is Step.COMMITTED


def test_a_commit_that_is_not_taken_is_none(trial: Trial) -> None:
    def refuses(_: Sequence[str]) -> str:
        raise UpdateError("no bus")

    health.remember(trial.places.before, None)
    with pytest.raises(UpdateError):
        commit(trial.places, run=refuses)


@given(before=WORDS)
def test_what_is_as_before_is_committed(
    tmp_path_factory: pytest.TempPathFactory, before: Word
) -> None:
    path = tmp_path_factory.mktemp("kept") / "before"
    health.remember(path, before)
    assert health.lacks(health.demanded(path), before, runs=True) == []


@given(
    demand=st.none() | WORDS,
    words=st.lists(st.none() | WORDS, min_size=1, max_size=20),
    restart=st.booleans(),
    runs=st.booleans(),
)
def test_nothing_is_waited_for_without_end(
    demand: Word | None, words: list[Word | None], *, restart: bool, runs: bool
) -> None:
    trial, moment, verdict = health.Trial(demand, 0.0), 0.0, Verdict.WAIT
    while verdict is Verdict.WAIT:
        assert moment <= LONGEST_S
        said = words[int(moment / 300) % len(words)]
        began = moment if restart else 0.0
        now = None if said is None else replace(said, began=began, at=moment)
        verdict = trial.hear(now, moment, runs=runs)
        if verdict is Verdict.COMMIT:
            assert health.lacks(demand, now, runs=runs) == []
            assert now is None or demand is None or moment >= STEADY_S
        moment += 5


@given(word=st.none() | WORDS)
def test_the_line_that_it_came_by_is_demanded_and_the_camera_that_worked(
    tmp_path_factory: pytest.TempPathFactory, word: Word | None
) -> None:
    path = tmp_path_factory.mktemp("kept") / "before"
    health.remember(path, word, by_line=True)
    demand = health.demanded(path)
    assert demand is not None
    assert demand.link
    works = word is not None and word.camera in (CameraWord.WORKS, CameraWord.RESTS)
    assert (demand.camera is CameraWord.WORKS) == works
