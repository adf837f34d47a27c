"""How long all must hold, by whose words, and what is demanded of a slot that stands in."""

import pytest

from cleandesk.update import health, told
from cleandesk.update.health import ANEW_WITHIN_S, LINK_WITHIN_S, STEADY_S
from cleandesk.update.told import Step
from cleandesk.watchdog import CameraWord, Word
from tests.unit.update.trials import LATE_S, WELL, Trial

BROKEN, LOST = Word(CameraWord.FAILS, link=True), Word(CameraWord.FAILS, link=False)


def test_code_that_dies_after_a_minute_is_not_committed(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes = {moment: WELL if moment % 90 else None for moment in range(30, 7200, 30)}
    assert not trial.commit()
    assert trial.marked == ["mark-bad"]
    assert trial.told.lost is not None


def test_a_restart_that_nobody_saw_begins_it_anew(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes, trial.restarts = {0: WELL}, [100.0, 200.0]
    assert trial.commit()
    assert 200 + STEADY_S <= trial.now < 200 + STEADY_S + LATE_S


@pytest.mark.parametrize("every_s", [50, 70, 100])
def test_a_camera_at_fault_whose_box_begins_anew_again_and_again_costs_no_update(
    trial: Trial, every_s: int
) -> None:
    health.remember(trial.places.before, BROKEN)
    anew = range(every_s, 1000, every_s)
    trial.restarts = [float(moment) for moment in anew]
    trial.becomes = {0: BROKEN} | dict.fromkeys(anew)
    for moment in anew:
        trial.becomes |= {moment + 5: LOST, moment + 15: BROKEN}
    assert trial.commit()
    assert trial.now < STEADY_S + 2 * LATE_S


def test_a_process_that_takes_too_long_to_follow_begins_it_anew(trial: Trial) -> None:
    late = 60 + ANEW_WITHIN_S + 30
    health.remember(trial.places.before, BROKEN)
    trial.becomes, trial.restarts = {0: BROKEN, 60: None, late: BROKEN}, [60.0]
    assert trial.commit()
    assert late + STEADY_S <= trial.now < late + STEADY_S + LATE_S


def test_a_line_that_is_lost_in_each_process_is_not_healthy(trial: Trial) -> None:
    health.remember(trial.places.before, BROKEN)
    anew = range(50, 1000, 50)
    trial.restarts = [float(moment) for moment in anew]
    trial.becomes = {0: BROKEN, 1000: BROKEN}
    for moment in anew:
        trial.becomes |= {moment + 10: BROKEN, moment + 30: LOST}
    assert trial.commit()
    assert 1000 + STEADY_S <= trial.now < 1000 + STEADY_S + LATE_S


def test_a_line_that_comes_and_goes_in_one_process_is_not_healthy(trial: Trial) -> None:
    health.remember(trial.places.before, BROKEN)
    trial.becomes = {600: BROKEN}
    for moment in range(0, 600, 60):
        trial.becomes[moment] = LOST if moment % 120 else BROKEN
    assert trial.commit()
    assert 600 + STEADY_S <= trial.now < 600 + STEADY_S + LATE_S


def test_a_box_that_says_nothing_newer_is_not_committed(trial: Trial) -> None:
    health.remember(trial.places.before, WELL)
    trial.becomes, trial.hangs_at = {0: WELL}, 60.0
    assert not trial.commit()
    assert trial.told.lost is not None
    assert "box did not stay healthy for 120 s" in trial.told.lost.why


def test_a_slot_that_stands_in_for_the_committed_one_needs_the_line_alone(trial: Trial) -> None:
    trial.becomes = {30: BROKEN}
    assert trial.commit()
    assert 30 + STEADY_S <= trial.now < 30 + STEADY_S + LATE_S


def test_without_the_line_it_is_left_so_that_the_committed_one_is_tried_again(trial: Trial) -> None:
    trial.becomes = {30: Word(CameraWord.WORKS, link=False)}
    assert not trial.commit()
    assert LINK_WITHIN_S <= trial.now < LINK_WITHIN_S + 10


@pytest.mark.parametrize("before", [None, LOST, WELL])
def test_what_an_update_that_was_left_demanded_is_nothing_to_what_stands_in(
    trial: Trial, before: Word | None
) -> None:
    health.remember(trial.places.before, before)
    trial.places.cmdline.write_text("ro cleandesk.trial cleandesk.instead loglevel=4\n")
    trial.becomes = {30: LOST, 900: BROKEN}
    assert trial.commit()
    assert 900 + STEADY_S <= trial.now < 900 + STEADY_S + LATE_S


@pytest.mark.parametrize("committed", ["0.1.400", "0.1.300"])
@pytest.mark.parametrize("since", [None, Step.LEFT, Step.REFUSED])
def test_ops_hear_of_the_committed_slot_that_could_not_be_loaded(
    trial: Trial, committed: str, since: Step | None
) -> None:
    teller = told.Teller(trial.places.kept, committed, "a" * 32)
    teller.tell(Step.COMMITTED, committed)
    if since is not None:
        teller.tell(since, "0.1.300", "no line")
    trial.becomes = {0: WELL}
    assert trial.commit()
    said = (trial.told.step, trial.told.version, str(trial.told.lost))
    lost = "None" if committed == "0.1.300" else "0.1.400: left: its slot could not be loaded"
    assert said == (Step.COMMITTED, "0.1.300", lost)


def test_a_slot_that_stands_in_and_has_no_box_running_is_left(trial: Trial) -> None:
    assert not trial.commit()
