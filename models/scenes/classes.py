"""The classes of the desk detector, in the order of their COCO category ids."""

from typing import Final

CLASSES: Final = (
    "phone",
    "paper",
    "notebook",
    "pen",
    "cup",
    "bottle",
    "laptop",
    "keyboard",
    "mouse",
    "monitor",
    "person",
)

CATEGORY_IDS: Final = {name: number for number, name in enumerate(CLASSES, start=1)}
