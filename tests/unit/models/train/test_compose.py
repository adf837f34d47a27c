"""Composed desks are labelled by what is still to be seen on them."""

import numpy as np
import pytest

from models.train.compose import _seen, compose
from models.train.labels import LEARNT, NUM_LEARNT, Known
from models.train.sample import Sample, codes
from models.train.tabletop import CANVAS


@pytest.mark.parametrize("seed", range(8))
def test_labels_lie_on_the_canvas(seed: int) -> None:
    sample = compose(np.random.default_rng(seed), None, [], [])
    w, h = CANVAS
    assert sample.picture.shape == (h, w, 3)
    assert len(sample.boxes) == len(sample.labels)
    assert np.all(sample.boxes[:, 2:] > sample.boxes[:, :2])
    assert np.all((sample.boxes >= 0) & (sample.boxes <= [w, h, w, h]))
    assert set(sample.labels.tolist()) <= set(range(-NUM_LEARNT, NUM_LEARNT))


def test_the_same_seed_gives_the_same_desk() -> None:
    first, second = (compose(np.random.default_rng(3), None, [], []) for _ in range(2))
    assert np.array_equal(first.picture, second.picture)
    assert np.array_equal(first.boxes, second.boxes)


def test_a_bare_table_is_known_and_a_photograph_only_as_far_as_its_set() -> None:
    known = codes(labelled=LEARNT[:2], weak=LEARNT[2:])
    photo = Sample(
        np.zeros((60, 80, 3), np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, np.int64), known
    )
    rng = np.random.default_rng(0)
    assert np.array_equal(compose(rng, photo, [], []).known, known)
    bare = compose(rng, None, [], []).known
    assert np.all(bare == Known.LABELLED)


def test_a_photograph_keeps_its_own_labels_until_something_covers_them() -> None:
    pen = LEARNT.index("pen")
    photo = Sample(
        np.full((240, 320, 3), 90, np.uint8),
        np.array([[300, 2, 316, 8], [10, 100, 310, 230]], np.float32),
        np.array([pen, pen]),
        codes(labelled=LEARNT),
    )
    kept = []
    for seed in range(20):
        sample = compose(np.random.default_rng(seed), photo, [], [])
        assert sample.boxes[-2:].tolist() == [[600, 4, 632, 16], [20, 200, 620, 460]]
        kept.append([label == pen for label in sample.labels[-2:]])
    small, large = np.mean(kept, 0)
    assert large < 0.5 < small


def test_a_covered_thing_is_cut_to_its_visible_part_or_ignored() -> None:
    owner = np.full((100, 100), -1, np.int16)
    owner[10:50, 10:50] = 0
    owner[10:50, 20:50] = 1  # covers three quarters of thing 0
    boxes, labels = _seen(owner, ["paper", "notebook"], [1600, 1200])
    assert boxes.tolist() == [[10, 10, 20, 50], [20, 10, 50, 50]]
    assert labels.tolist() == [LEARNT.index("paper"), LEARNT.index("notebook")]
    owner[10:50, 13:50] = 1
    unsure = _seen(owner, ["paper", "notebook"], [1600, 1480])[1]
    assert unsure.tolist() == [~LEARNT.index("paper"), LEARNT.index("notebook")]


def test_a_thing_of_no_class_hides_but_has_no_label() -> None:
    owner = np.full((50, 50), -1, np.int16)
    owner[:, :25], owner[:, 25:] = 0, 1
    boxes, labels = _seen(owner, ["wallet", "card"], [1250, 1250])
    assert boxes.tolist() == [[25, 0, 50, 50]]
    assert labels.tolist() == [LEARNT.index("card")]


def test_some_desks_are_seen_from_so_near_that_a_sheet_fills_the_picture() -> None:
    paper, canvas = LEARNT.index("paper"), CANVAS[0] * CANVAS[1]
    filled = []
    for seed in range(60):
        desk = compose(np.random.default_rng(seed), None, [], [])
        sides = desk.boxes[desk.labels == paper, 2:] - desk.boxes[desk.labels == paper, :2]
        filled.append(bool((sides.prod(-1) > 0.5 * canvas).any()))
    assert 0.05 < np.mean(filled) < 0.4
