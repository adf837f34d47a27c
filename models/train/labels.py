"""The classes of the desk model, and what each training set calls them."""

from enum import IntEnum
from typing import Final

from models.scenes.classes import CLASSES

NUM_CLASSES: Final = len(CLASSES)

# Our class -> the class of COCO-80 (its index) that means the same thing. Paper and pen have none.
COCO_OF: Final = {
    "phone": 67,
    "notebook": 73,
    "cup": 41,
    "bottle": 39,
    "laptop": 63,
    "keyboard": 66,
    "mouse": 64,
    "monitor": 62,
    "person": 0,
}
COCO_BOOK: Final = 73
COCO_KNIFE: Final = 43
COCO_TOOTHBRUSH: Final = 79

# What COCO knows that says nothing about paper or pens: they look like it, lie on it or are held.
COCO_NO_WITNESS: Final = {
    "person": 0,
    "bench": 13,
    "knife": 43,
    "chair": 56,
    "couch": 57,
    "bed": 59,
    "dining table": 60,
    "book": 73,
    "toothbrush": 79,
}

# Names in the labelled sets -> our class. A name that is missing here is no class of ours.
ALIASES: Final = {
    "cell phone": "phone",
    "6": "phone",
    "undefined": "phone",
    "book": "notebook",
    "tv": "monitor",
    "computer-mouse": "mouse",
    "pencil": "pen",
    "mug": "cup",
    "sheet": "paper",
}


class Known(IntEnum):
    """What is known of a class at a place of a picture."""

    TEACHER = 0  # unlabelled: follow the starting model
    LABELLED = 1  # labelled: it is where a label says so, and nowhere else
    WEAK = 2  # unlabelled and unknown to the starting model: probably absent
    IGNORE = 3  # cannot be said


def class_index(name: str) -> int | None:
    """Index in `CLASSES` of a set's own class name, or None where we have no such class.

    Example:
        >>> class_index("PEN"), class_index("tv"), class_index("chair")
        (3, 9, None)
    """
    lowered = name.strip().lower()
    ours = ALIASES.get(lowered, lowered)
    return CLASSES.index(ours) if ours in CLASSES else None


def mask_of(names: tuple[str, ...]) -> tuple[bool, ...]:
    """Which classes a set labels completely, one flag per class of `CLASSES`."""
    unknown = set(names) - set(CLASSES)
    if unknown:
        raise ValueError(f"no such class: {sorted(unknown)}; the classes are {list(CLASSES)}")
    return tuple(c in names for c in CLASSES)
