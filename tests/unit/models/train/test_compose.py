"""Composed desks are labelled by what is still to be seen on them."""

import numpy as np
import pytest

from models.scenes.classes import CLASSES
from models.train import things
from models.train.compose import CANVAS, _seen, compose
from models.train.labels import Known
from models.train.sample import Sample, codes


@pytest.mark.parametrize("seed", range(8))
def test_labels_lie_on_the_canvas(seed: int) -> None:
    sample = compose(np.random.default_rng(seed), None, [], [])
    w, h = CANVAS
    assert sample.picture.shape == (h, w, 3)
    assert len(sample.boxes) == len(sample.labels)
    assert np.all(sample.boxes[:, 2:] > sample.boxes[:, :2])
    assert np.all((sample.boxes >= 0) & (sample.boxes <= [w, h, w, h]))
    drawn = {CLASSES.index(c) for c in ("paper", "notebook", "pen")}
    assert set(sample.labels.tolist()) <= drawn | {-1}


def test_the_same_seed_gives_the_same_desk() -> None:
    first, second = (compose(np.random.default_rng(3), None, [], []) for _ in range(2))
    assert np.array_equal(first.picture, second.picture)
    assert np.array_equal(first.boxes, second.boxes)


def test_a_bare_table_is_known_and_a_photograph_only_as_far_as_its_set() -> None:
    known = codes(weak=("paper", "pen"))
    photo = Sample(
        np.zeros((60, 80, 3), np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, np.int64), known
    )
    rng = np.random.default_rng(0)
    assert np.array_equal(compose(rng, photo, [], []).known, known)
    bare = compose(rng, None, [], []).known
    assert bare[CLASSES.index("person")] == Known.TEACHER
    assert bare[CLASSES.index("paper")] == Known.LABELLED


def test_a_covered_thing_is_cut_to_its_visible_part_or_ignored() -> None:
    owner = np.full((100, 100), -1, np.int16)
    owner[10:50, 10:50] = 0
    owner[10:50, 20:50] = 1  # covers three quarters of thing 0
    boxes, labels = _seen(owner, ["paper", "notebook"], [1600, 1200])
    assert boxes.tolist() == [[10, 10, 20, 50], [20, 10, 50, 50]]
    assert labels.tolist() == [CLASSES.index("paper"), CLASSES.index("notebook")]
    owner[10:50, 13:50] = 1
    assert _seen(owner, ["paper", "notebook"], [1600, 1480])[1].tolist()[0] == -1


@pytest.mark.parametrize("draw", [things.paper, things.notebook, things.pen, things.other])
def test_cut_outs_have_a_solid_body(draw: object) -> None:
    assert callable(draw)
    for seed in range(6):
        cut = draw(np.random.default_rng(seed))
        assert cut.dtype == np.uint8
        assert cut.shape[2] == 4
        assert (cut[..., 3] == 255).mean() > 0.3
