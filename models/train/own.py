"""Our own labels of pictures whose set does not label all that can be learnt from them.

`<set>.labels.json` holds `{file name: [[class, x0, y0, x1, y1], ...]}` in pixels of the stored
picture. All pictures of these sets were searched for the classes of `SOUGHT`; of which of them a
picture that lists none has none, `sets.KNOWN` says. A class with a question mark is a region where
that class may be or not.
"""

import json
from pathlib import Path
from typing import Final, NamedTuple

from models.train.labels import LEARNT
from models.train.sample import unsure

# Set -> what was looked for in it.
SOUGHT: Final = {
    "coco_unlabelled": LEARNT,
    "phone": ("paper", "notebook", "sticky_note"),
    "mouse": ("paper", "notebook", "sticky_note"),
    "pen": ("paper", "notebook", "sticky_note"),
}


class OwnLabelsError(RuntimeError):
    """The file of our own labels is broken."""


class OwnLabels(NamedTuple):
    """What we saw in one picture: corners, and of each a class's index or an `unsure` one."""

    boxes: tuple[tuple[float, float, float, float], ...]
    labels: tuple[int, ...]


NONE: Final = OwnLabels((), ())


def file_of(name: str) -> Path:
    """The file of our labels of a set."""
    return Path(__file__).with_name(f"{name}.labels.json")


def read_own_labels(path: Path) -> dict[str, OwnLabels]:
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
        tuple(_label(name) for name, *_ in notes),
    )


def _label(name: str) -> int:
    index = LEARNT.index(name.removeprefix("?"))
    return unsure(index) if name.startswith("?") else index
