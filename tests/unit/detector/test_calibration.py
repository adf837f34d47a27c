"""Calibrated scores: one line in logits a class, applied where it costs nothing."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cleandesk.detector import Manifest
from cleandesk.detector.calibration import Calibration
from cleandesk.detector.manifest import Line

SCORES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40)
LINES = st.tuples(st.floats(0.05, 20), st.floats(-8, 8))


def calibration(simple: Manifest, *lines: tuple[float, float]) -> Calibration:
    """Return the calibration of a manifest whose first classes have these lines."""
    known = {
        name: Line(scale=scale, offset=offset)
        for name, (scale, offset) in zip(simple.classes, lines, strict=False)
    }
    return Calibration(simple.model_copy(update={"calibration": known}))


def ids(scores: list[float], class_id: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.full(len(scores), class_id, np.int64)


@given(SCORES, LINES)
def test_the_order_within_a_class_stays(
    simple: Manifest, scores: list[float], line: tuple[float, float]
) -> None:
    ordered = np.sort(np.array(scores, np.float32))
    made = calibration(simple, line).apply(ordered, ids(scores, 0))
    assert made.dtype == np.float32
    assert ((made >= 0) & (made <= 1)).all()
    assert (np.diff(made) >= 0).all()


@given(SCORES)
def test_a_class_without_a_line_keeps_its_scores(simple: Manifest, scores: list[float]) -> None:
    given_scores = np.array(scores, np.float32)
    made = calibration(simple, (3.0, 1.0)).apply(given_scores, ids(scores, 1))
    np.testing.assert_array_equal(made, given_scores)


@given(LINES, st.floats(0, 1))
def test_the_least_score_becomes_the_one_that_is_wanted(
    simple: Manifest, line: tuple[float, float], wanted: float
) -> None:
    made = calibration(simple, line)
    least = made.least(wanted)[:1]
    assume(1e-37 < least[0] < 1 - 1e-4)  # nearer to 0 and 1 float32 has too few steps
    reached = float(made.apply(least, np.zeros(1, np.int64))[0])
    assert reached == pytest.approx(wanted, abs=5e-3)


@given(st.floats(0, 1, width=32, allow_subnormal=False))
def test_without_a_line_the_least_score_is_the_wanted_one(simple: Manifest, wanted: float) -> None:
    assert calibration(simple, (2.0, 1.0)).least(wanted)[1] == np.float32(wanted)


def test_what_scores_nothing_is_wanted_only_with_all_else(simple: Manifest) -> None:
    made = calibration(simple, (0.05, 8.0))
    assert (made.least(0.01) > 0).all()
    assert (made.least(0.0) == 0).all()


def test_a_line_is_a_line_in_logits(simple: Manifest) -> None:
    scores = np.array([0.2, 0.5, 0.9], np.float32)
    made = calibration(simple, (2.0, -1.0)).apply(scores, np.zeros(3, np.int64))
    odds = 2 * np.log(scores / (1 - scores)) - 1
    np.testing.assert_allclose(made, 1 / (1 + np.exp(-odds)), rtol=1e-5)


def test_what_is_zero_stays_zero_and_what_is_certain_stays_certain(simple: Manifest) -> None:
    ends = np.array([0, 1], np.float32)
    made = calibration(simple, (0.1, 8.0)).apply(ends, np.zeros(2, np.int64))
    np.testing.assert_array_equal(made, ends)
