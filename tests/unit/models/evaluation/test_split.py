"""The halves are what the names say, and our own labels fit the pictures that they are for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.evaluation.sets import EXTRA, ROOMS, SPLIT
from models.evaluation.split import half_of
from models.scenes.classes import CATEGORY_IDS


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(name="sizes", scope="module")
def _sizes() -> dict[str, tuple[int, int]]:
    """Width and height by file name, of the pictures that COCO labelled."""
    path = ROOMS / "instances.json"
    if not path.is_file():
        pytest.skip("needs ../shared/data/coco_desk_dev, which is not here")
    return {i["file_name"]: (i["width"], i["height"]) for i in _read(path)["images"]}


def _labels() -> Iterator[tuple[str, str, tuple[float, float, float, float]]]:
    for note in _read(EXTRA)["annotations"]:
        yield note["file_name"], note["category"], tuple(note["bbox"])


def test_the_committed_halves_are_what_the_names_say() -> None:
    for which, names in _read(SPLIT).items():
        assert {half_of(name) for name in names} == {which}


def test_the_halves_hold_every_picture_once(sizes: dict[str, tuple[int, int]]) -> None:
    split = _read(SPLIT)
    assert sorted(split["choose"] + split["report"]) == sorted(sizes)


@pytest.mark.parametrize(
    ("name", "half"), [("000000000139.jpg", "report"), ("000000004795.jpg", "choose")]
)
def test_a_name_stays_in_its_half(name: str, half: str) -> None:
    assert half_of(name) == half


def test_labels_lie_within_their_pictures(sizes: dict[str, tuple[int, int]]) -> None:
    assert sorted(i["file_name"] for i in _read(EXTRA)["images"]) == sorted(sizes)
    for name, _, (x, y, w, h) in _labels():
        width, height = sizes[name]
        assert 0 <= x < x + w <= width, name
        assert 0 <= y < y + h <= height, name


def test_labels_name_our_classes_and_are_sorted() -> None:
    listed = {c["name"]: c["id"] for c in _read(EXTRA)["categories"]}
    assert listed == {name: CATEGORY_IDS[name] for name in listed}
    labels = list(_labels())
    assert {category for _, category, _ in labels} <= set(listed)
    assert [name for name, _, _ in labels] == sorted(name for name, _, _ in labels)
