"""Our own labels of the pictures that came without a list of labels.

`coco_unlabelled.labels.json` holds `{file name: [[class, x0, y0, x1, y1], ...]}` in pixels of the
stored picture. A picture that it names was looked at as a whole: a learnt class that is not listed
is not there. A class with a question mark is a region where nothing can be said.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from models.train.labels import LEARNT
from models.train.sample import IGNORED, codes

if TYPE_CHECKING:
    from models.train.sets import Item

LABELS: Final = Path(__file__).with_name("coco_unlabelled.labels.json")


class OwnLabelsError(RuntimeError):
    """The file of our own labels is broken."""


def label_of(name: str) -> int:
    """Index of a learnt class, or `IGNORED` with a question mark. Raises `OwnLabelsError`."""
    if name.removeprefix("?") not in LEARNT:
        raise OwnLabelsError(f"no learnt class {name!r}; there are {', '.join(LEARNT)}")
    return IGNORED if name.startswith("?") else LEARNT.index(name)


def with_own_labels(items: "list[Item]", path: Path = LABELS) -> "list[Item]":
    """Items, those that we labelled with their labels and all learnt classes known.

    Raises:
        OwnLabelsError: If a label names no learnt class or its box is empty.
    """
    if not path.is_file():
        return items
    ours = json.loads(path.read_text(encoding="utf-8"))
    known = codes(labelled=LEARNT)
    out = []
    for item in items:
        notes = ours.get(item.path.name)
        if notes is None:
            out.append(item)
            continue
        boxes = tuple((float(x0), float(y0), float(x1), float(y1)) for _, x0, y0, x1, y1 in notes)
        if any(x1 <= x0 or y1 <= y0 for x0, y0, x1, y1 in boxes):
            raise OwnLabelsError(f"{path}: {item.path.name} has an empty box; mend or remove it")
        labels = tuple(label_of(name) for name, *_ in notes)
        out.append(replace(item, boxes=boxes, labels=labels, known=known))
    return out
