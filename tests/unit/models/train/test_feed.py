"""What is taught at which point: sure things, unsure ones, and what only the teacher knows."""

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")

from models.train.feed import CORE, SHARES, Feed, Shown, Stock, target_of  # noqa: E402
from models.train.grid import SIZE, points  # noqa: E402
from models.train.labels import LEARNT, NUM_LEARNT, Known  # noqa: E402
from models.train.sample import codes, unsure  # noqa: E402
from models.train.sets import Item  # noqa: E402

AT = points().numpy()
PHONE, PAPER, NOTEBOOK = (LEARNT.index(c) for c in ("phone", "paper", "notebook"))


def shown(boxes: list[list[float]], labels: list[int], known: Known = Known.LABELLED) -> Shown:
    return Shown(
        np.zeros((SIZE, SIZE, 3), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int64),
        np.full((len(AT), NUM_LEARNT), known, np.uint8),
    )


def test_of_an_unsure_thing_only_its_own_class_is_left_open_and_only_there() -> None:
    known = target_of(shown([[100, 100, 200, 180]], [unsure(PAPER)]), AT).known
    x, y = AT[:, 0], AT[:, 1]
    inside = (x >= 100) & (x <= 200) & (y >= 100) & (y <= 180)
    assert inside.any()
    assert (known[inside, PAPER] == Known.IGNORE).all()
    assert (known[~inside, PAPER] == Known.LABELLED).all()
    assert (known[:, NOTEBOOK] == Known.LABELLED).all()


def test_an_unsure_thing_between_the_points_leaves_those_beside_it_open() -> None:
    known = target_of(shown([[97, 97, 101, 101]], [unsure(PHONE)]), AT).known
    assert (known[:, PHONE] == Known.IGNORE).any()


def test_an_unsure_thing_is_no_target_and_a_sure_one_is() -> None:
    target = target_of(shown([[0, 0, 50, 50], [60, 60, 99, 99]], [unsure(PAPER), PHONE]), AT)
    assert target.boxes.tolist() == [[60, 60, 99, 99]]
    assert target.labels.tolist() == [PHONE]


def test_the_teacher_is_silent_in_the_middle_of_a_label() -> None:
    known = target_of(shown([[100, 100, 300, 300]], [PAPER], Known.TEACHER), AT).known
    distance = np.abs(AT[:, :2] - 200).max(-1)
    assert (known[distance <= 100 * CORE] == Known.LABELLED).all()
    assert (known[distance > 100 * CORE] == Known.TEACHER).all()


def stock(tmp_path: Path) -> Stock:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((120, 160, 3), 120, np.uint8))
    known = codes(labelled=LEARNT)
    item = Item(path, ((40, 30, 120, 90),), (PAPER,), known)
    sets = {name: [item] for name in SHARES if name != "composed"}
    return Stock(sets, [], [], [])


def test_a_sample_is_the_same_however_the_row_is_cut(tmp_path: Path) -> None:
    whole, tail = Feed(stock(tmp_path), 3, 0, 12), Feed(stock(tmp_path), 3, 8, 4)
    for index in range(4):
        (picture, target), (again, same) = whole[8 + index], tail[index]
        assert torch.equal(picture, again)
        assert torch.equal(target.boxes, same.boxes)
        assert torch.equal(target.known, same.known)


def test_targets_lie_in_the_picture(tmp_path: Path) -> None:
    feed = Feed(stock(tmp_path), 4, 0, 24)
    found = 0
    for index in range(len(feed)):
        picture, target = feed[index]
        assert picture.shape == (3, SIZE, SIZE)
        assert target.known.shape == (len(AT), NUM_LEARNT)
        assert bool(((target.boxes >= 0) & (target.boxes <= SIZE)).all())
        found += len(target.boxes)
    assert found > 20
