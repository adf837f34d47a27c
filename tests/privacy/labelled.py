"""The labelled pictures in ../shared, and where to take stills of them."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tests.rig import SHARED

CROPS = 3
#: A thing of fewer pixels is no violation that a camera at a desk would see.
_LEAST_AREA = 300
_LARGE = ("chair", "couch", "bed", "dining table")
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Picture:
    """One labelled picture; boxes are x1, y1, x2, y2, in pixels.

    Attributes:
        size: Width and height.
        people: All that are labelled, crowds too.
        things: Labelled things that may lie on a desk.
    """

    path: Path
    size: tuple[int, int]
    people: tuple[Box, ...]
    things: tuple[Box, ...]

    def crops(self) -> list[Box]:
        """Return `CROPS` boxes to take stills of: things nearest to people, and people's edges."""
        near = sorted(self.things, key=lambda thing: min(_apart(thing, p) for p in self.people))
        x1, y1, x2, y2 = max(self.people, key=lambda b: (b[2] - b[0]) * (b[3] - b[1]))
        half, middle = 0.06 * max(self.size), (y1 + y2) / 2
        edges = [(x2, middle), (x1, middle), ((x1 + x2) / 2, y1)]
        return [*near[: CROPS - 1], *((x - half, y - half, x + half, y + half) for x, y in edges)][
            :CROPS
        ]


def labelled(*names: str) -> list[Picture]:
    """Return the pictures of these sets, or of all; the sets take turns."""
    paths = sorted(SHARED.glob("data/*/instances.json"))
    sets = [_read(path) for path in paths if not names or path.parent.name in names]
    return [picture for turn in zip_longest(*sets) for picture in turn if picture]


def spread(pictures: list[Picture], count: int) -> list[Picture]:
    """Return so many pictures, from everywhere in the list, always the same."""
    step = max(1, len(pictures) // count)
    return pictures[::step][:count]


def _read(path: Path) -> Iterator[Picture]:
    data = json.loads(path.read_text(encoding="utf-8"))
    names = {category["id"]: category["name"] for category in data["categories"]}
    people: dict[int, list[Box]] = defaultdict(list)
    things: dict[int, list[Box]] = defaultdict(list)
    for label in data["annotations"]:
        name, (x, y, w, h) = names[label["category_id"]], label["bbox"]
        if name == "person":
            people[label["image_id"]].append((x, y, x + w, y + h))
        elif name not in _LARGE and w * h >= _LEAST_AREA:
            things[label["image_id"]].append((x, y, x + w, y + h))
    for image in sorted(data["images"], key=lambda i: str(i["file_name"])):
        number, file = image["id"], path.parent / "images" / image["file_name"]
        size = (int(image["width"]), int(image["height"]))
        yield Picture(file, size, tuple(people[number]), tuple(things[number]))


def _apart(a: Box, b: Box) -> float:
    return max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])
