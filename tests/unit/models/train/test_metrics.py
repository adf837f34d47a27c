"""Precision, recall and average precision on cases small enough to work out by hand."""

import math

import numpy as np
import pytest

from models.train.metrics import Found, Labelled, average_precision, figures, match

A, B, FAR = [0, 0, 10, 10], [20, 0, 30, 10], [80, 80, 90, 90]


def found(*rows: tuple[list[int], float]) -> Found:
    boxes = np.array([b for b, _ in rows], np.float32).reshape(-1, 4)
    return Found(boxes, np.array([s for _, s in rows], np.float32))


def labelled(*boxes: list[int], crowd: bool = False) -> Labelled:
    return Labelled(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), crowd))


def test_all_found_and_nothing_else() -> None:
    f = figures([(found((A, 0.9), (B, 0.8)), labelled(A, B))], 0.5)
    assert (f.labelled, f.precision, f.recall, f.false_per_picture) == (2, 1.0, 1.0, 0.0)
    assert f.ap50 == f.ap == pytest.approx(1.0)


def test_a_second_box_on_the_same_thing_is_wrong() -> None:
    assert match(found((A, 0.9), (A, 0.8)), labelled(A), 0.5).tolist() == [1, 0]


def test_a_box_in_a_crowd_is_not_counted() -> None:
    crowd = labelled([0, 0, 100, 100], crowd=True)
    assert match(found((A, 0.9), (B, 0.8)), crowd, 0.5).tolist() == [-1, -1]
    f = figures([(found((A, 0.9)), crowd)], 0.5)
    assert f.labelled == 0
    assert math.isnan(f.ap50)


@pytest.mark.parametrize(
    ("threshold", "precision", "recall", "false_per_picture"),
    [(0.85, 1.0, 0.5, 0.0), (0.6, 0.5, 0.5, 0.5), (0.1, 2 / 3, 1.0, 0.5)],
)
def test_threshold_decides_what_counts(
    threshold: float, precision: float, recall: float, false_per_picture: float
) -> None:
    pairs = [(found((A, 0.9), (FAR, 0.7)), labelled(A)), (found((B, 0.3)), labelled(B))]
    f = figures(pairs, threshold)
    assert f.precision == pytest.approx(precision)
    assert f.recall == pytest.approx(recall)
    assert f.false_per_picture == pytest.approx(false_per_picture)


def test_average_precision_of_right_wrong_right() -> None:
    ap = average_precision(np.array([0.9, 0.8, 0.7], np.float32), np.array([True, False, True]), 2)
    # 51 recalls up to a half at precision 1, 50 above it at two thirds.
    assert ap == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_loose_box_counts_less() -> None:
    f = figures([(found(([0, 0, 10, 8], 0.9)), labelled(A))], 0.5)  # overlap 0.8
    assert f.ap50 == pytest.approx(1.0)
    assert f.ap == pytest.approx(0.7)
