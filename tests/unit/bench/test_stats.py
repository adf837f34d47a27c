"""The statistics of a measurement are what they are called."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.bench import stats

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@given(NUMBERS)
def test_a_spread_is_least_middle_and_greatest(values: list[float]) -> None:
    spread = stats.Spread.of(values)
    assert spread.min == min(values)
    assert spread.max == max(values)
    below = sum(value <= spread.median for value in values)
    assert 2 * below >= len(values)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        stats.Spread.of([])


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 10.0), (50, 30.0), (75, 40.0), (99, 49.6), (100, 50.0)]
)
def test_percentiles_lie_between_neighbours_in_proportion(percent: float, expected: float) -> None:
    assert stats.percentile([30.0, 10.0, 50.0, 20.0, 40.0], percent) == pytest.approx(expected)


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        stats.percentile([], 50)


@given(st.floats(-100, 100), st.floats(-1000, 1000), st.integers(3, 60))
def test_the_slope_of_a_line_is_its_own(slope: float, start: float, points: int) -> None:
    times = [0.5 * i for i in range(points)]
    values = [start + slope * t for t in times]
    assert stats.slope(times, values) == pytest.approx(slope, abs=1e-6)


def test_a_few_outliers_and_a_step_back_do_not_move_a_slope() -> None:
    random = np.random.default_rng(1)
    times = np.arange(300.0)
    values = 150 + 0.01 * times + random.normal(0, 0.05, 300)
    values[::20] += 40.0
    assert stats.slope(times.tolist(), values.tolist()) == pytest.approx(0.01, rel=0.1)


def test_what_only_jitters_has_no_slope() -> None:
    times = [float(i) for i in range(400)]
    values = [200.0 + (i * 7919 % 13) / 10 for i in range(400)]
    assert abs(stats.slope(times, values)) < 1e-3


def test_a_long_series_keeps_its_slope_when_it_is_thinned() -> None:
    times = [float(i) for i in range(20_000)]
    values = [3.0 + 0.25 * t + (10.0 if i % 97 == 0 else 0.0) for i, t in enumerate(times)]
    assert stats.slope(times, values) == pytest.approx(0.25, rel=1e-3)


def test_the_order_of_the_points_does_not_matter() -> None:
    assert stats.slope([3, 1, 2, 0], [30, 10, 20, 0]) == pytest.approx(10)


@pytest.mark.parametrize("times", [[], [1.0], [1.0, 2.0], [5.0, 5.0, 5.0]])
def test_too_few_points_have_no_slope(times: list[float]) -> None:
    with pytest.raises(ValueError, match="slope"):
        stats.slope(times, [0.0] * len(times))


def test_times_and_values_must_go_together() -> None:
    with pytest.raises(ValueError, match="do not go together"):
        stats.slope([1, 2, 3], [1, 2])


def test_the_warm_up_is_left_out() -> None:
    assert list(stats.settled([1, 2, 3, 4], 0.25)) == [2, 3, 4]
    assert list(stats.settled([1, 2, 3, 4], 0.0)) == [1, 2, 3, 4]


@given(st.lists(st.text(max_size=3), max_size=6, unique=True), st.integers(0, 5))
def test_parts_take_turns(parts: list[str], rounds: int) -> None:
    order = list(stats.interleaved(parts, rounds))
    assert [part for _, part in order] == parts * rounds
    assert [number for number, _ in order] == sorted(number for number, _ in order)


def test_a_spread_says_its_numbers_rounded() -> None:
    said = stats.Spread.of([1 / 3, 2 / 3]).to_json(2)
    assert said == {"min": 0.33, "median": 0.5, "max": 0.67}
    assert all(math.isfinite(value) for value in said.values())
