"""Labels move with the picture."""

import numpy as np
import pytest

from models.train import sample
from models.train.labels import LEARNT
from models.train.sample import Sample, clip_boxes, codes, move_boxes, turned, view

KNOWN = codes(labelled=LEARNT)


def one_red_box() -> Sample:
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[100:180, 150:260] = (0, 0, 255)
    boxes = np.array([[150, 100, 260, 180]], np.float32)
    return Sample(picture, boxes, np.array([3]), KNOWN)


@pytest.mark.parametrize("seed", range(12))
def test_a_views_box_encloses_the_thing_closely(seed: int) -> None:
    seen = view(one_red_box(), np.random.default_rng(seed), (416, 416), (0.7, 1.1))
    red = (seen.picture[..., 2] > 200) & (seen.picture[..., :2].max(-1) < 60)
    y, x = np.nonzero(red)
    truth = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], np.float32)
    assert seen.boxes.shape == (1, 4)
    assert np.all(seen.boxes[0, :2] <= truth[:2] + 2)
    assert np.all(seen.boxes[0, 2:] >= truth[2:] - 2)
    assert np.abs(seen.boxes[0] - truth).max() < 20


@pytest.mark.parametrize("quarters", range(5))
def test_a_turned_box_still_holds_the_thing_and_nothing_else(quarters: int) -> None:
    seen = turned(one_red_box(), quarters)
    assert seen.picture.shape[:2] == ((300, 400) if quarters % 2 == 0 else (400, 300))
    y, x = np.nonzero(seen.picture[..., 2])
    assert seen.boxes.tolist() == [[x.min(), y.min(), x.max() + 1, y.max() + 1]]


def test_the_same_seed_gives_the_same_view() -> None:
    first, second = (
        view(one_red_box(), np.random.default_rng(5), (208, 208), (0.5, 2.0)) for _ in range(2)
    )
    assert np.array_equal(first.picture, second.picture)
    assert np.array_equal(first.boxes, second.boxes)


@pytest.mark.parametrize("seed", range(8))
def test_picture_and_box_are_moved_by_the_same_fraction_of_a_pixel(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TURN", "TILT"):
        monkeypatch.setattr(sample, name, 0.0)
    seen = view(one_red_box(), np.random.default_rng(seed), (416, 416), (0.9, 0.9))
    red = seen.picture[..., 2] - seen.picture[..., :2].max(-1).astype(float)
    red[red < 40] = 0  # what lies beyond the picture's edge is grey
    middle = (seen.boxes[0, :2] + seen.boxes[0, 2:]) / 2
    y, x = np.mgrid[0:416, 0:416] + 0.5
    truth = np.array([(red * x).sum(), (red * y).sum()]) / red.sum()
    assert np.abs(middle - truth).max() < 0.35


def test_boxes_follow_a_shift_and_a_scale() -> None:
    matrix = np.array([[2, 0, 10], [0, 3, -5], [0, 0, 1]], np.float32)
    moved = move_boxes(np.array([[1, 2, 3, 4]], np.float32), matrix)
    assert moved.tolist() == [[12, 1, 16, 7]]


@pytest.mark.parametrize(
    ("box", "label", "kept"),
    [
        ([10, 10, 50, 50], 2, [10, 10, 50, 50]),  # whole
        ([-10, 10, 30, 50], 2, [0, 10, 30, 50]),  # three quarters visible
        ([-90, 10, 10, 50], ~2, [0, 10, 10, 50]),  # a tenth: neither learnt nor denied
        ([10, 10, 50, 12], ~2, [10, 10, 50, 12]),  # too thin to be told
    ],
)
def test_cut_boxes(box: list[float], label: int, kept: list[float]) -> None:
    boxes, labels = clip_boxes(np.array([box], np.float32), np.array([2]), 100, 100)
    assert boxes.tolist() == [kept]
    assert labels.tolist() == [label]


def test_a_box_outside_is_gone() -> None:
    boxes, labels = clip_boxes(np.array([[-50, 0, -10, 40]], np.float32), np.array([1]), 100, 100)
    assert len(boxes) == len(labels) == 0
