"""Calibration finds the curve that made the finds, and stays with the others without evidence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.calibrate import IDENTITY, Curve, fit, fit_all, reliability
from models.evaluation.sets import Flags, Floats
from tests.unit.models.evaluation.makers import judged

TRUE = Curve(2.2, -0.8)


def drawn(curve: Curve, count: int) -> tuple[Floats, Flags]:
    """Finds whose share of right ones follows a curve."""
    rng = np.random.default_rng(5)
    scores = rng.uniform(0.1, 0.95, count).astype(np.float32)
    return scores, rng.random(count) < curve.apply(scores)


def test_the_curve_is_found_from_many_finds() -> None:
    found = fit(*drawn(TRUE, 4000), prior=IDENTITY)
    assert found.scale == pytest.approx(TRUE.scale, abs=0.2)
    assert found.offset == pytest.approx(TRUE.offset, abs=0.2)


def test_calibrated_scores_hold_what_they_promise() -> None:
    scores, right = drawn(TRUE, 4000)
    calibrated = fit(scores, right, IDENTITY).apply(scores)
    assert reliability(calibrated, right).error < 0.02 < reliability(scores, right).error


def test_without_finds_a_class_takes_the_curve_of_all() -> None:
    scores, right = drawn(TRUE, 2000)
    many = judged(scores[right].tolist(), scores[~right].tolist())
    curves = fit_all({"phone": many, "paper": judged([], [])})
    assert curves["paper"].scale == pytest.approx(curves["phone"].scale, abs=0.5)
    assert curves["paper"].scale > 1.5


def test_one_find_does_not_make_a_curve() -> None:
    one = fit(np.array([0.6], np.float32), np.array([False]), TRUE)
    assert one.scale == pytest.approx(TRUE.scale, abs=0.1)
    assert TRUE.offset - 0.5 < one.offset < TRUE.offset


@given(
    st.floats(0.2, 5),
    st.floats(-3, 3),
    st.lists(st.floats(0.02, 0.98), min_size=2, max_size=9, unique=True),
)
def test_the_order_of_scores_stays(scale: float, offset: float, scores: list[float]) -> None:
    raw = np.sort(np.array(scores, np.float32))
    calibrated = Curve(scale, offset).apply(raw)
    assert (np.diff(calibrated) >= 0).all()
    assert ((calibrated > 0) & (calibrated <= 1)).all()


def test_undo_gives_the_raw_score_back() -> None:
    calibrated = float(TRUE.apply(np.array([0.4], np.float32))[0])
    assert TRUE.undo(calibrated) == pytest.approx(0.4, abs=1e-4)


def test_what_was_not_found_stays_not_found() -> None:
    assert Curve(1, 3).apply(np.zeros(1, np.float32)).tolist() == [0.0]


def test_bins_tell_promise_and_truth_apart() -> None:
    scores = np.array([0.95, 0.95, 0.05], np.float32)
    row = reliability(scores, np.array([True, False, True]))
    assert (row.counts[9], row.held[9]) == (2, 0.5)
    assert row.error == pytest.approx(0.45)  # the weakest find is not shown, and does not count
    assert math.isnan(row.promised[0])
