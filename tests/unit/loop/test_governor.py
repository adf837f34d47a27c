"""The governor keeps a box cool as far as the rules allow, and says so."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.clock import Instant
from cleandesk.contract.health import GovernorState
from cleandesk.loop import Governor
from cleandesk.loop.governor import COOL_C, HOT_C, LOWER_EVERY_S, RAISE_EVERY_S, WARM_C
from cleandesk.vitals import Heat
from tests.unit.loop.search import SEARCH

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
MOST, LEAST = 5.0, 1.25
FULL, WARM, THROTTLED = GovernorState.FULL, GovernorState.WARM, GovernorState.THROTTLED


def at(seconds: float) -> Instant:
    return Instant(100 + seconds, START + timedelta(seconds=seconds), synced=True)


class Run:
    """A governor that is asked every few seconds, as the box does."""

    def __init__(self, most: float = MOST, least: float = LEAST) -> None:
        self.governor = Governor(most, least, at(0))
        self.t = 0.0

    def until(self, end: float, celsius: float | None, *, throttled: bool | None = None) -> None:
        while self.t < end:
            self.t += LOWER_EVERY_S
            assert self.governor.due(at(self.t))
            self.governor.step(Heat(celsius, throttled), at(self.t))


def test_a_cool_box_looks_as_often_as_it_was_told_to() -> None:
    run = Run()
    run.until(600, 60)
    assert (run.governor.looks_per_s, run.governor.state) == (MOST, FULL)
    assert run.governor.since == at(0)


def test_a_warm_box_looks_more_and_more_rarely_but_often_enough() -> None:
    run = Run()
    run.until(LOWER_EVERY_S, WARM_C)
    assert run.governor.state is WARM
    assert LEAST < run.governor.looks_per_s < MOST
    run.until(600, WARM_C)
    assert run.governor.looks_per_s == LEAST
    assert run.governor.since == at(LOWER_EVERY_S)


@pytest.mark.parametrize("heat", [Heat(HOT_C, None), Heat(40.0, throttled=True)])
def test_just_below_the_limit_or_throttled_it_goes_to_the_least_at_once(heat: Heat) -> None:
    governor = Governor(MOST, LEAST, at(0))
    assert governor.step(heat, at(5))
    assert governor.looks_per_s == LEAST
    assert governor.state is (THROTTLED if heat.throttled else WARM)


def test_between_cool_and_warm_nothing_changes() -> None:
    run = Run()
    run.until(20, WARM_C)
    rate = run.governor.looks_per_s
    run.until(3600, (COOL_C + WARM_C) / 2)
    assert run.governor.looks_per_s == rate


def test_it_comes_back_slowly() -> None:
    run = Run()
    run.until(60, 79)
    run.until(60 + RAISE_EVERY_S - LOWER_EVERY_S, 60)
    assert run.governor.looks_per_s == LEAST
    run.until(60 + 2 * RAISE_EVERY_S, 60)
    assert LEAST < run.governor.looks_per_s < 1.5 * LEAST
    run.until(3600, 60)
    assert (run.governor.looks_per_s, run.governor.state) == (MOST, FULL)


def test_a_machine_that_tells_nothing_is_left_alone() -> None:
    run = Run()
    run.until(600, None)
    assert (run.governor.looks_per_s, run.governor.state) == (MOST, FULL)


def test_a_thermometer_that_fails_while_it_is_warm_changes_nothing() -> None:
    run = Run()
    run.until(20, WARM_C)
    rate = run.governor.looks_per_s
    run.until(3600, None)
    assert (run.governor.looks_per_s, run.governor.state) == (rate, WARM)


def test_where_only_throttling_is_told_its_end_lets_the_rate_rise() -> None:
    run = Run()
    run.until(20, None, throttled=True)
    assert run.governor.state is THROTTLED
    run.until(30, None, throttled=False)
    assert (run.governor.looks_per_s, run.governor.state) == (LEAST, WARM)
    run.until(3600, None, throttled=False)
    assert run.governor.state is FULL


@SEARCH
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.floats(-40, 120)), st.sampled_from([None, False, True])),
        max_size=300,
    ),
    st.floats(0.1, 60),
    st.floats(0.01, 60),
)
def test_whatever_it_reads_the_rate_is_enough_and_rises_slowly(
    readings: list[tuple[float | None, bool | None]], most: float, least: float
) -> None:
    governor = Governor(most, least, at(0))
    raised: list[float] = []
    for number, (celsius, throttled) in enumerate(readings):
        before, state = governor.looks_per_s, governor.state
        now = at(number * LOWER_EVERY_S)
        assert governor.step(Heat(celsius, throttled), now) is (governor.state is not state)
        assert min(least, most) <= governor.looks_per_s <= most
        if governor.looks_per_s > before:
            raised.append(now.mono)
            assert not throttled
            assert celsius is None or celsius < COOL_C
        if governor.state is FULL:
            assert governor.looks_per_s == most
        assert (governor.state is THROTTLED) is bool(throttled)
    assert all(b - a >= RAISE_EVERY_S for a, b in itertools.pairwise(raised))


@SEARCH
@given(st.floats(20, 45), st.floats(4, 9), st.floats(60, 600), st.floats(0, 0.95))
def test_a_box_that_can_be_kept_below_80_degrees_is(
    room: float, resting: float, slow_s: float, share: float
) -> None:
    """A box as a heat capacity with one way out: it nears its rate's own temperature in `slow_s`.

    `share` says how much of the way to 80 degrees it would be at the least rate.
    """
    at_rest = room + resting
    per_look = share * (HOT_C - at_rest) / LEAST
    run, celsius = Run(), at_rest
    peak = celsius
    for _ in range(600):
        run.until(run.t + LOWER_EVERY_S, celsius)
        aim = at_rest + per_look * run.governor.looks_per_s
        celsius += (aim - celsius) * min(1.0, LOWER_EVERY_S / slow_s)
        peak = max(peak, celsius)
    steepest = (at_rest + per_look * MOST - WARM_C) * LOWER_EVERY_S / slow_s
    assert peak < max(80.0, HOT_C + steepest)
