"""Right and wrong finds on cases small enough to work out by hand."""

import math

import numpy as np
import pytest

from models.evaluation.matching import IGNORED, WRONG, assign, average_precision, judge
from models.evaluation.sets import Floats, Labelled
from tests.unit.models.evaluation.makers import FAR, A, B, found, judged, labelled, picture


def boxes(*rows: list[float]) -> Floats:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_a_thing_is_found_once_by_the_best_box() -> None:
    assert assign(boxes(A, B, A), labelled(A, B)).tolist() == [0, 1, WRONG]


def test_a_find_in_an_ignored_place_is_not_counted() -> None:
    assert assign(boxes(A, FAR), labelled([0, 0, 50, 50], ignored=True)).tolist() == [
        IGNORED,
        WRONG,
    ]


def test_a_free_thing_goes_before_an_ignored_place() -> None:
    there = Labelled.of([([0, 0, 50, 50], True), (A, False)])
    assert assign(boxes(A, A), there).tolist() == [1, IGNORED]


@pytest.mark.parametrize(
    ("threshold", "precision", "recall", "false_per_picture"),
    [(0.85, 1.0, 0.5, 0.0), (0.6, 0.5, 0.5, 0.5), (0.1, 2 / 3, 1.0, 0.5)],
)
def test_the_threshold_decides_what_counts(
    threshold: float, precision: float, recall: float, false_per_picture: float
) -> None:
    seen = [found(("phone", A, 0.9), ("phone", FAR, 0.7)), found(("phone", B, 0.3))]
    there = [picture({"phone": labelled(A)}), picture({"phone": labelled(B)})]
    result = judge(seen, there, "phone")
    assert result.precision(threshold) == pytest.approx(precision)
    assert result.recall(threshold) == pytest.approx(recall)
    assert result.false_per_picture(threshold) == pytest.approx(false_per_picture)


def test_other_classes_do_not_matter() -> None:
    seen = [found(("paper", A, 0.9), ("phone", A, 0.8))]
    result = judge(seen, [picture({"phone": labelled(A)})], "phone")
    assert result.shown(0.0) == (1, 1)
    assert result.ap50 == pytest.approx(1.0)


def test_a_class_that_the_model_lacks_is_never_found() -> None:
    result = judge([found()], [picture({"bag": labelled(A)})], "bag")
    assert (result.labelled, result.recall(0.0), result.ap50) == (1, 0.0, 0.0)


def test_sizes_are_those_of_640_pixel_pictures() -> None:
    small, large = [0.0, 0, 30, 30], [100.0, 100, 300, 300]
    there = picture({"phone": labelled(small, large)})
    result = judge([found(("phone", large, 0.9))], [there], "phone")
    assert result.of_size(0, 32**2).recall(0.5) == 0
    assert result.of_size(96**2, math.inf).recall(0.5) == 1


def test_average_precision_of_right_wrong_right() -> None:
    ap = average_precision(np.array([0.9, 0.8, 0.7], np.float32), np.array([True, False, True]), 2)
    # 51 recalls up to a half at precision 1, 50 above it at two thirds.
    assert ap == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_without_things_there_is_nothing_to_measure() -> None:
    result = judged([], [0.9])
    assert math.isnan(result.ap50)
    assert math.isnan(result.recall(0.5))
    assert math.isnan(judged([], []).precision(0.5))
