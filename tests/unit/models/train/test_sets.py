"""Sets are read as far as they are whole."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.train.labels import LEARNT
from models.train.own import OwnLabels
from models.train.sample import codes, unsure
from models.train.sets import DataError, Item, cut_out, read_all, read_set, with_own_labels

PAPER = LEARNT.index("paper")
PENS = codes(labelled=("pen",), ignore=tuple(c for c in LEARNT if c != "pen"))


def make_set(folder: Path, *, listing: bool = True) -> Path:
    (folder / "images").mkdir(parents=True)
    cv2.imwrite(str(folder / "images" / "a.jpg"), np.full((40, 60, 3), 90, np.uint8))
    data = {
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "not-yet.jpg"}],
        "annotations": [
            {"image_id": 1, "category_id": 7, "bbox": [5, 6, 20, 10]},
            {"image_id": 1, "category_id": 8, "bbox": [0, 0, 9, 9]},
        ],
        "categories": [{"id": 7, "name": "PEN"}, {"id": 8, "name": "eraser"}],
    }
    if listing:
        (folder / "instances.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


def test_our_classes_are_read_as_corners_and_others_left_out(tmp_path: Path) -> None:
    items = read_set(make_set(tmp_path / "pens"), PENS)
    assert [(i.path.name, i.boxes, i.labels) for i in items] == [
        ("a.jpg", ((5, 6, 25, 16),), (LEARNT.index("pen"),))
    ]
    assert items[0].read().picture.shape == (40, 60, 3)


def test_a_thing_that_is_hardly_seen_is_ignored(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "pens")
    listing = folder / "instances.json"
    data = json.loads(listing.read_text(encoding="utf-8"))
    data["annotations"][0]["iscrowd"] = 1
    listing.write_text(json.dumps(data), encoding="utf-8")
    assert [i.labels for i in read_set(folder, PENS)] == [(unsure(LEARNT.index("pen")),)]


def test_pictures_whose_labels_are_not_there_yet_are_no_negatives(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "scenes", listing=False)
    assert read_set(folder, codes(labelled=LEARNT)) == []


def test_an_unlabelled_set_needs_no_labels(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "plain", listing=False)
    assert len(read_set(folder, PENS, listed=False)) == 1


def test_our_labels_stand_beside_those_of_the_set(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "pens")
    ours = {"a.jpg": OwnLabels(((1, 2, 30, 40), (0, 0, 9, 9)), (PAPER, unsure(PAPER)))}
    items = with_own_labels(read_set(folder, PENS), ours)
    assert [i.boxes for i in items] == [((5, 6, 25, 16), (1, 2, 30, 40), (0, 0, 9, 9))]
    assert items[0].labels == (LEARNT.index("pen"), PAPER, unsure(PAPER))
    assert with_own_labels(read_set(folder, PENS), {}) == read_set(folder, PENS)
    with pytest.raises(DataError, match=r"b\.jpg"):
        with_own_labels(read_set(folder, PENS), {"b.jpg": OwnLabels((), ())})


def test_a_missing_set_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="phone"):
        read_all(tmp_path, tmp_path / "scenes")


def test_a_broken_picture_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    item = Item(tmp_path / "bad.jpg", (), (), codes(labelled=LEARNT))
    with pytest.raises(DataError, match=r"bad\.jpg"):
        item.read()


def test_a_thing_is_cut_from_white_ground_and_not_from_a_table() -> None:
    picture = np.full((200, 200, 3), 255, np.uint8)
    cv2.circle(picture, (100, 100), 60, (30, 60, 90), -1)
    cut = cut_out(picture, (40, 40, 160, 160))
    assert cut is not None
    assert (cut[..., 3] > 0).sum() == pytest.approx(np.pi * 59**2, rel=0.03)  # a pixel eroded
    picture[:] = (80, 90, 100)
    table = cut_out(picture, (40, 40, 160, 160))
    assert table is not None
    assert (table[..., 3] > 0).mean() > 0.85  # all of the box: `cut_outs` refuses such a share
