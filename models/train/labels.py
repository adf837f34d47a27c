"""The classes of the desk model, and what each training set calls them."""

from enum import IntEnum
from typing import Final

from models.scenes.classes import CLASSES

# The classes that are learnt come first; the others keep the starting model's own answer.
NUM_LEARNT: Final = CLASSES.index("bag")
LEARNT: Final = CLASSES[:NUM_LEARNT]
KEPT: Final = CLASSES[NUM_LEARNT:]

# Our class -> the classes of COCO-80 (their indices) that mean the same thing.
COCO_OF: Final[dict[str, tuple[int, ...]]] = {
    "phone": (67,),
    "notebook": (73,),
    "bag": (24, 26),  # backpack, handbag
    "cup": (41,),
    "bottle": (39,),
    "laptop": (63,),
    "keyboard": (66,),
    "mouse": (64,),
    "monitor": (62,),
    "remote": (65,),
    "person": (0,),
}
# What COCO knows of what is learnt: a correction of its answer is learnt, not the answer.
SHARED: Final = tuple(c for c in LEARNT if c in COCO_OF)

# A learnt class that COCO does not know starts as what looks most like it, but much less sure.
STAND_INS: Final[dict[str, tuple[str, ...]]] = {
    "paper": ("book",),
    "sticky_note": ("book",),
    "pen": ("knife", "toothbrush"),
    "tablet": ("laptop", "cell phone"),
    "card": ("cell phone", "remote"),
    "usb_stick": ("remote", "toothbrush"),
    "camera": ("cell phone", "suitcase"),
    "headphones": ("mouse", "scissors"),
}
COCO_CLASSES: Final = 80
COCO: Final = {
    "person": 0,
    "bench": 13,
    "backpack": 24,
    "handbag": 26,
    "suitcase": 28,
    "knife": 43,
    "chair": 56,
    "couch": 57,
    "bed": 59,
    "dining table": 60,
    "tv": 62,
    "laptop": 63,
    "mouse": 64,
    "remote": 65,
    "cell phone": 67,
    "book": 73,
    "scissors": 76,
    "toothbrush": 79,
}
# What COCO knows that says nothing about the classes that it does not know: it looks like them,
# they lie on it, or it holds them.
NO_WITNESS: Final = frozenset(COCO.values()) - {COCO["mouse"], COCO["scissors"]}

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
    "id-card": "card",
    "backpack": "bag",
    "handbag": "bag",
}


class Known(IntEnum):
    """What is known of a class at a place of a picture."""

    TEACHER = 0  # unlabelled: follow the starting model
    LABELLED = 1  # labelled: it is where a label says so, and nowhere else
    WEAK = 2  # unlabelled and unknown to the starting model: probably absent
    IGNORE = 3  # cannot be said


def our_name(name: str) -> str:
    """What a set's own class name means here; it may be no class of ours.

    Example:
        >>> our_name("PEN"), our_name("tv"), our_name("chair")
        ('pen', 'monitor', 'chair')
    """
    lowered = name.strip().lower()
    return ALIASES.get(lowered, lowered)


def class_index(name: str) -> int | None:
    """Index in `CLASSES` of a set's own class name, or None where we have no such class."""
    ours = our_name(name)
    return CLASSES.index(ours) if ours in CLASSES else None


def mask_of(names: tuple[str, ...]) -> tuple[bool, ...]:
    """Which of the learnt classes are named, one flag per class of `LEARNT`."""
    unknown = set(names) - set(LEARNT)
    if unknown:
        raise ValueError(f"no such class: {sorted(unknown)}; the learnt ones are {list(LEARNT)}")
    return tuple(c in names for c in LEARNT)
