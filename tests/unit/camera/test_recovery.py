from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleandesk.camera.recovery import Ladder, LadderSettings, Step
from cleandesk.contract.messages import CameraFault

STALLED, UNAVAILABLE = CameraFault.STALLED, CameraFault.UNAVAILABLE
SETTINGS = LadderSettings(flushes=1, reopens=3, first_delay_s=1, max_delay_s=6, steady_s=10)


def highest() -> float:
    return 1.0


def steps(ladder: Ladder, fault: CameraFault, number: int) -> list[Step]:
    return [ladder.failed(fault).step for _ in range(number)]


def test_a_stall_is_flushed_then_restarted_then_given_up() -> None:
    assert steps(Ladder(SETTINGS, highest), STALLED, 6) == [
        Step.FLUSH,
        Step.REOPEN,
        Step.REOPEN,
        Step.REOPEN,
        Step.GIVE_UP,
        Step.GIVE_UP,
    ]


def test_delays_double_up_to_a_bound() -> None:
    ladder = Ladder(SETTINGS, highest)
    delays = [ladder.failed(UNAVAILABLE).delay_s for _ in range(6)]
    assert delays == [1, 2, 4, 6, 6, 6]


def test_delays_are_spread_over_their_whole_range() -> None:
    draws = iter([0.0, 0.25, 0.5])
    ladder = Ladder(SETTINGS, lambda: next(draws))
    assert [ladder.failed(UNAVAILABLE).delay_s for _ in range(3)] == [0, 0.5, 2]


def test_only_a_stall_is_flushed() -> None:
    assert Ladder(SETTINGS, highest).failed(CameraFault.BROKEN).step is Step.REOPEN


def test_a_missing_camera_is_waited_for_and_never_given_up() -> None:
    assert Step.GIVE_UP not in steps(Ladder(SETTINGS, highest), UNAVAILABLE, 1000)


def test_a_camera_that_worked_and_will_not_start_again_is_given_up() -> None:
    ladder = Ladder(SETTINGS, highest)
    ladder.delivered(0)
    assert steps(ladder, UNAVAILABLE, 4)[-1] is Step.GIVE_UP


def test_a_frozen_picture_never_ends_the_process() -> None:
    ladder = Ladder(SETTINGS, highest)
    ladder.delivered(0)
    assert Step.GIVE_UP not in steps(ladder, CameraFault.FROZEN, 1000)


def test_without_a_limit_nothing_is_given_up() -> None:
    ladder = Ladder(LadderSettings(reopens=None), highest)
    ladder.delivered(0)
    assert Step.GIVE_UP not in steps(ladder, STALLED, 1000)


def test_it_starts_at_the_bottom_again_after_steady_frames() -> None:
    ladder = Ladder(SETTINGS, highest)
    steps(ladder, STALLED, 3)
    ladder.delivered(100)
    ladder.delivered(110)
    assert ladder.failed(STALLED).step is Step.FLUSH


def test_single_frames_between_failures_do_not_count_as_working() -> None:
    ladder = Ladder(SETTINGS, highest)
    seen = []
    for second in count(step=60):
        ladder.delivered(second)
        seen.append(ladder.failed(STALLED).step)
        if seen[-1] is Step.GIVE_UP:
            break
    assert len(seen) == 5


@pytest.mark.parametrize("limit", [0, 1, 5])
@settings(deadline=None)  # a busy machine is no fault of the ladder
@given(draws=st.lists(st.floats(0, 1, exclude_max=True), min_size=40, max_size=40))
def test_no_delay_leaves_its_bounds(limit: int, draws: list[float]) -> None:
    ladder = Ladder(LadderSettings(reopens=limit), iter(draws).__next__)
    for _ in range(40):
        assert 0 <= ladder.failed(CameraFault.BROKEN).delay_s < 30
