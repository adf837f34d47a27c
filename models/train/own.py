"""Our own labels of the pictures that came without a list of labels.

`coco_unlabelled.labels.json` holds `{file name: [[class, x0, y0, x1, y1], ...]}` in pixels of the
stored picture. A picture that it names was looked at as a whole: a learnt class that is not listed
is not there. A class with a question mark is a region where nothing can be said.
"""

import json
from pathlib import Path
from typing import Final, NamedTuple

from models.train.labels import LEARNT
from models.train.sample import IGNORED

FILE: Final = Path(__file__).with_name("coco_unlabelled.labels.json")


class OwnLabelsError(RuntimeError):
    """The file of our own labels is broken."""


class OwnLabels(NamedTuple):
    """What we saw in one picture: corners, and of each a learnt class's index or `IGNORED`."""

    boxes: tuple[tuple[float, float, float, float], ...]
    labels: tuple[int, ...]


def read_own_labels(path: Path = FILE) -> dict[str, OwnLabels]:
    """Return our labels by the picture's file name.

    Raises:
        OwnLabelsError: If a label names no learnt class or its box is empty.
    """
    listed = json.loads(path.read_text(encoding="utf-8"))
    return {file: _read(notes, f"{path}: {file}") for file, notes in listed.items()}


def _read(notes: list[tuple[str, float, float, float, float]], place: str) -> OwnLabels:
    for name, x0, y0, x1, y1 in notes:
        if name.removeprefix("?") not in LEARNT:
            raise OwnLabelsError(f"{place}: no learnt class {name!r}; use {', '.join(LEARNT)}")
        if x1 <= x0 or y1 <= y0:
            raise OwnLabelsError(f"{place}: the box of {name!r} is empty; mend or remove it")
    return OwnLabels(
        tuple((x0, y0, x1, y1) for _, x0, y0, x1, y1 in notes),
        tuple(IGNORED if n.startswith("?") else LEARNT.index(n) for n, *_ in notes),
    )
