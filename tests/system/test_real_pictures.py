"""Real pictures: what the shipped model says at its own thresholds, against people's labels."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from demo.outcome import overlap
from tests.rig import BIN, SHARED

DEV = SHARED / "data" / "coco_desk_dev"
#: The labels' names for what the model calls otherwise; paper and pen have no labels there.
COCO = {
    "cell phone": "phone",
    "tv": "monitor",
    "cup": "cup",
    "bottle": "bottle",
    "laptop": "laptop",
    "keyboard": "keyboard",
    "mouse": "mouse",
    "person": "person",
}
#: A desk camera has its object large; what covers less of the picture is left out of recall.
_LARGE = 0.02
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Labelled:
    """What people marked in one picture."""

    name: str
    box: Box
    share: float
    crowd: bool


def _labels() -> dict[str, list[Labelled]]:
    data = json.loads((DEV / "instances.json").read_text(encoding="utf-8"))
    names = {category["id"]: category["name"] for category in data["categories"]}
    pictures = {picture["id"]: picture for picture in data["images"]}
    found: dict[str, list[Labelled]] = {p["file_name"]: [] for p in pictures.values()}
    for mark in data["annotations"]:
        name = COCO.get(names[mark["category_id"]])
        picture = pictures[mark["image_id"]]
        if name:
            x, y, w, h = mark["bbox"]
            share = w * h / (picture["width"] * picture["height"])
            found[picture["file_name"]].append(
                Labelled(name, (x, y, x + w, y + h), share, bool(mark.get("iscrowd")))
            )
    return found


def _looked_at(score: float) -> Iterator[tuple[list[Labelled], list[dict[str, Any]]]]:
    """Labels of each picture, and what `cleandesk detect` says there with at least this score."""
    result = subprocess.run(
        [BIN / "cleandesk", "detect", DEV / "images", "--json", "--score", str(score)],
        capture_output=True,
        text=True,
        check=True,
    )
    labels = _labels()
    for line in result.stdout.splitlines():
        answer = json.loads(line)
        said = [d for d in answer["detections"] if d["class"] in COCO.values()]
        yield labels[Path(answer["image"]).name], said


def _is_there(detection: dict[str, Any], marks: list[Labelled]) -> bool:
    same = [m for m in marks if m.name == detection["class"]]
    return any(overlap(m.box, detection["box"]) >= 0.4 or m.crowd for m in same)


@pytest.mark.skipif(not DEV.exists(), reason="../shared/data/coco_desk_dev is not there")
def test_known_things_in_real_rooms_are_found_and_seldom_invented() -> None:
    right, believed = list[bool](), list[bool]()
    found = list[bool]()
    for marks, said in _looked_at(0.5):
        for detection in said:
            right.append(_is_there(detection, marks))
            if detection["believed"]:
                believed.append(right[-1])
        for mark in marks:
            if mark.share >= _LARGE and not mark.crowd:
                same = [d for d in said if d["class"] == mark.name]
                found.append(any(overlap(mark.box, d["box"]) >= 0.4 for d in same))
    assert fmean(right) >= 0.9
    assert fmean(found) >= 0.7
    assert len(believed) >= 100
    assert fmean(believed) >= 0.9
