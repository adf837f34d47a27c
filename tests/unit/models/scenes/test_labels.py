"""Boxes are those of what can be seen, and the collected file is plain COCO."""

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from models.scenes.camera import Camera
from models.scenes.classes import CATEGORY_IDS, CLASSES
from models.scenes.geometry import slab
from models.scenes.labels import (
    annotate,
    merge,
    silhouette_areas,
    unlabelled,
    visible_box,
    without_specks,
    write_atomically,
)
from models.scenes.thing import Part, Placed, Surface, Thing

ABOVE = Camera((0, -0.001, 1.0), (0, 0, 0), 53.1301)  # a metre over the desk, a metre wide
SIZE = (400, 400)


def tile(label: str, x: float = 0.0, side: float = 0.2) -> Placed:
    """A flat square: 0.2 m are 80 pixels from above."""
    part = Part(slab(side, side, 0.0001, 0.0001), Surface())
    return Placed(Thing("tile", label, (part,), (side, side)), x, 0)


def picture_of(*spans: tuple[int, int, int, int]) -> np.ndarray:
    ids = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    for number, (x1, y1, x2, y2) in enumerate(spans, start=1):
        ids[y1:y2, x1:x2] = number
    return ids


def test_a_box_ends_behind_the_last_pixel() -> None:
    mask = np.zeros((10, 10), np.bool_)
    mask[2:5, 3:9] = True
    assert visible_box(mask) == (3, 2, 9, 5)
    assert visible_box(np.zeros((4, 4), np.bool_)) is None


def test_specks_far_off_are_no_part_of_a_thing_and_its_halves_are() -> None:
    mask = np.zeros((40, 80), np.bool_)
    mask[5:35, 10:30] = mask[5:35, 33:40] = True  # a pen lies across it
    whole = visible_box(mask)
    mask[0, 79] = True
    assert visible_box(without_specks(mask)) == whole == (10, 5, 40, 35)


def test_the_silhouette_counts_what_lies_beyond_the_edge_apart() -> None:
    inside, whole = silhouette_areas(tile("phone"), ABOVE, SIZE)
    assert inside == whole == pytest.approx(6400, rel=0.1)
    inside, whole = silhouette_areas(tile("phone", x=0.5), ABOVE, SIZE)
    assert inside == pytest.approx(3200, rel=0.1)
    assert whole == pytest.approx(6400, rel=0.1)


def test_a_visible_thing_gets_its_class_and_box() -> None:
    (found,) = annotate(picture_of((160, 160, 240, 240)), [tile("cup")], ABOVE)
    assert found["category_id"] == CATEGORY_IDS["cup"]
    assert found["bbox"] == [160, 160, 80, 80]
    assert found["area"] == 6400
    assert found["iscrowd"] == 0


@pytest.mark.parametrize(
    ("placed", "span"),
    [
        (tile("cup"), (160, 160, 178, 240)),  # 22 % of it are not hidden
        (tile("cup", x=0.59), (396, 160, 400, 240)),  # 5 % of it are in the picture
        (tile("cup", side=0.02), (196, 196, 204, 204)),  # 8 pixels long
    ],
)
def test_what_is_hardly_seen_is_a_region_to_ignore(
    placed: Placed, span: tuple[int, int, int, int]
) -> None:
    (found,) = annotate(picture_of(span), [placed], ABOVE)
    assert found["iscrowd"] == 1
    assert found["bbox"] == [span[0], span[1], span[2] - span[0], span[3] - span[1]]


@pytest.mark.parametrize(
    ("placed", "span"),
    [
        (tile(""), (160, 160, 240, 240)),  # a look-alike
        (tile("cup"), (0, 0, 0, 0)),  # wholly hidden
    ],
)
def test_what_nobody_could_name_gets_no_box(
    placed: Placed, span: tuple[int, int, int, int]
) -> None:
    assert annotate(picture_of(span), [placed], ABOVE) == []


def test_things_are_told_apart_by_their_number() -> None:
    ids = picture_of((160, 160, 240, 240), (240, 160, 320, 240))
    found = annotate(ids, [tile("pen"), tile("paper", x=0.2)], ABOVE)
    assert [CLASSES[box["category_id"] - 1] for box in found] == ["pen", "paper"]


def test_merging_numbers_pictures_and_boxes(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    for name, count in (("a", 2), ("b", 0), ("c", 1)):
        image = {"file_name": f"{name}.jpg", "width": 4, "height": 3}
        box = {"category_id": 1, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 0}
        record = {"image": image, "annotations": [box] * count}
        write_atomically(tmp_path / "labels" / f"{name}.json", json.dumps(record))

    assert merge(tmp_path) == 3
    merged = json.loads((tmp_path / "instances.json").read_text())
    names = {image["id"]: image["file_name"] for image in merged["images"]}
    assert [names[box["image_id"]] for box in merged["annotations"]] == ["a.jpg", "a.jpg", "c.jpg"]
    assert len({box["id"] for box in merged["annotations"]}) == 3
    assert [(c["id"], c["name"]) for c in merged["categories"]] == list(enumerate(CLASSES, 1))
    assert not list(tmp_path.rglob("*.part"))


def test_look_alikes_are_told_apart_from_the_labelled() -> None:
    ids = picture_of((10, 10, 60, 40), (100, 100, 160, 190))
    assert unlabelled(ids, [tile("phone"), tile("")]) == [
        {"name": "tile", "bbox": [100, 100, 60, 90]}
    ]


def write_often(path: Path, letter: str) -> None:
    for _ in range(200):
        write_atomically(path, letter * 5000)


def test_processes_that_write_one_file_at_once_leave_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "instances.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_often, args=(path, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert path.read_text() in {"a" * 5000, "b" * 5000}
    assert [found.name for found in tmp_path.iterdir()] == ["instances.json"]
