"""Real pictures: what the shipped model says at its own thresholds, against people's labels."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

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


@pytest.mark.skipif(not DEV.exists(), reason="../shared/data/coco_desk_dev is not there")
def test_known_things_in_real_rooms_are_found_and_seldom_invented() -> None:
    result = subprocess.run(
        [BIN / "cleandesk", "detect", DEV / "images", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    labels = _labels()
    right = invented = large = found = 0
    for line in result.stdout.splitlines():
        answer = json.loads(line)
        marks = labels[Path(answer["image"]).name]
        said = [d for d in answer["detections"] if d["class"] in COCO.values()]
        for detection in said:
            same = [m for m in marks if m.name == detection["class"]]
            hit = any(overlap(m.box, detection["box"]) >= 0.4 or m.crowd for m in same)
            right, invented = right + hit, invented + (not hit)
        for mark in marks:
            if mark.share >= _LARGE and not mark.crowd:
                large += 1
                found += any(
                    d["class"] == mark.name and overlap(mark.box, d["box"]) >= 0.4 for d in said
                )
    precision, recall = right / (right + invented), found / large
    assert precision >= 0.9, precision
    assert recall >= 0.5, recall
