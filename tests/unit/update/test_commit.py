"""When an update is committed, when it is waited for, and when it is left."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.contract.bundle import UpdateError
from cleandesk.update import health, told
from cleandesk.update.commit import Places, commit
from cleandesk.update.health import CAMERA_WITHIN_S, LINK_WITHIN_S, Verdict
from cleandesk.update.told import Step, Told
from cleandesk.watchdog import NAME, CameraWord, Word

WELL = Word(CameraWord.WORKS, link=True)
WORDS = st.builds(Word, st.sampled_from(CameraWord), st.booleans())


class Trial:
    """A slot on trial: what was healthy before, and a clock that only waiting moves."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(*(folder / name for name in ("card", "kept", "box", "settings")))
        self.places.kept.mkdir()
        self.places.box.mkdir()
        self.places.settings.touch()
        self._system = folder / "system.conf"
        self._system.write_text("[system]\ncompatible=box\nmin-bundle-version=0.1.300\n")
        self.marked: list[str] = []
        self.becomes: dict[float, Word] = {}
        self.now = 0.0

    def _pause(self, seconds: float) -> None:
        self.now += seconds
        for moment in list(self.becomes):
            if self.now >= moment:
                (self.places.box / NAME).write_bytes(self.becomes.pop(moment).to_json())

    def _rauc(self, words: Sequence[str]) -> str:
        self.marked.append(words[-1])
        return ""

    def commit(self) -> bool:
        self._pause(0)
        return commit(
            self.places,
            system=self._system,
            run=self._rauc,
            mono=lambda: self.now,
            pause=self._pause,
        )

    @property
    def told(self) -> Told:
        found = told.read(self.places.kept)
        assert found is not None
        return found


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def test_it_is_committed_when_all_is_healthy_that_was(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {60: Word(CameraWord.FAILS, link=False), 90: WELL}
    assert trial.commit()
    assert trial.marked == ["mark-good"]
    assert 90 <= trial.now < 100
    assert trial.told.step is Step.COMMITTED


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


def test_in_a_break_the_camera_is_not_waited_for(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {30: Word(CameraWord.STOPPED, link=True)}
    assert trial.commit()


def test_a_machine_without_a_box_is_committed_at_once(trial: Trial) -> None:
    health.remember(trial.places.before, None)
    trial.places.settings.unlink()
    assert trial.commit()
    assert trial.now == 0


def test_a_box_that_did_not_run_before_need_not_run_after(trial: Trial) -> None:
    health.remember(trial.places.before, None)
    assert trial.commit()


@pytest.mark.parametrize("spoil", [None, b"", b"damaged"])
def test_where_nobody_knows_what_was_healthy_all_must_be(trial: Trial, spoil: bytes | None) -> None:
    if spoil is not None:
        trial.places.before.write_bytes(spoil)
    trial.becomes = {30: Word(CameraWord.FAILS, link=True)}
    assert not trial.commit()


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


@given(demand=st.none() | WORDS, now=st.none() | WORDS, runs=st.booleans())
def test_nothing_is_waited_for_without_end(
    demand: Word | None, now: Word | None, *, runs: bool
) -> None:
    missing = health.lacks(demand, now, runs=runs)
    assert health.verdict(missing, LINK_WITHIN_S) is not Verdict.WAIT
    assert (health.verdict(missing, 0) is Verdict.COMMIT) == (not missing)
