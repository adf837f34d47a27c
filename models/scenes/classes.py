"""The classes of the desk detector, in the order of their COCO category ids."""

from typing import Final

CLASSES: Final = (
    "phone",
    "paper",
    "notebook",
    "sticky_note",
    "pen",
    "tablet",
    "card",
    "usb_stick",
    "camera",
    "headphones",
    "bag",
    "cup",
    "bottle",
    "laptop",
    "keyboard",
    "mouse",
    "monitor",
    "remote",
    "person",
)

CATEGORY_IDS: Final = {name: number for number, name in enumerate(CLASSES, start=1)}
