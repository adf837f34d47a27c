"""Each stage is held against what it was told to do, and against nothing else."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.watchdog import Heartbeat, Sensing, Standing, why_not
from cleandesk.watchdog.stages import LATE_S, WAIT_S
from tests.unit.watchdog.make import Hand

LOOKING = Sensing(fault=False, delivered=1000.0, looked=1000.0, look_s=0.2)
TIMES = st.floats(0, 1e6)
SPANS = st.floats(0, 1e4)


def _standing(
    sensing: Sensing | None = LOOKING, *heartbeats: Heartbeat, runs: bool = True
) -> Standing:
    return Standing(now=1000.0, sensor_runs=runs, sensing=sensing, heartbeats=heartbeats)


def test_a_box_that_looks_is_fed() -> None:
    assert why_not(_standing()) is None


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (_standing(None), "told to stop"),
        (_standing(runs=False), "told to run"),
        (_standing(replace(LOOKING, looked=900.0)), "none was looked at for 100 s"),
    ],
)
def test_a_stage_that_does_something_else_is_named(standing: Standing, why: str) -> None:
    assert why in (why_not(standing) or "")


@given(now=TIMES, silent_s=SPANS, later_s=SPANS, sensing=st.booleans())
def test_a_thread_may_be_silent_for_as_long_as_it_said(
    now: float, silent_s: float, later_s: float, *, sensing: bool
) -> None:
    clock = Hand()
    clock.mono = now
    heartbeat = Heartbeat("link", clock)
    heartbeat.beat(silent_s)
    stands = Standing(
        now=now + later_s,
        sensor_runs=sensing,
        sensing=LOOKING if sensing else None,
        heartbeats=[heartbeat],
    )
    late_s = now + later_s - (now + silent_s)
    assert (why_not(stands) is None) == (late_s <= LATE_S)


@given(now=TIMES)
def test_a_thread_that_has_not_begun_or_has_ended_in_order_is_never_late(now: float) -> None:
    clock = Hand()
    new, done = Heartbeat("capture", clock), Heartbeat("capture", clock)
    done.beat(1)
    done.end()
    assert new.due == done.due == math.inf
    stands = Standing(now=now, sensor_runs=False, sensing=None, heartbeats=[new, done])
    assert why_not(stands) is None


@given(delivered=st.none() | TIMES, looked=TIMES, look_s=st.floats(0.01, 100))
def test_a_camera_at_fault_is_its_own_threads_business(
    delivered: float | None, looked: float, look_s: float
) -> None:
    assert why_not(_standing(Sensing(True, delivered, looked, look_s))) is None


@given(waits_s=SPANS, look_s=st.floats(0.01, 100))
def test_frames_that_come_are_looked_at_in_time(waits_s: float, look_s: float) -> None:
    sensing = Sensing(False, 1e5 + waits_s, 1e5, look_s)
    bound_s = WAIT_S + 3 * look_s
    if not math.isclose(waits_s, bound_s, abs_tol=1e-6):
        assert (why_not(_standing(sensing)) is None) == (waits_s < bound_s)


@given(looked=TIMES, look_s=st.floats(0.01, 100))
def test_a_camera_whose_first_frame_has_not_come_is_not_held_against_the_loop(
    looked: float, look_s: float
) -> None:
    assert why_not(_standing(Sensing(False, None, looked, look_s))) is None
