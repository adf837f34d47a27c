"""Drawn cut-outs: of the classes that lie flat on a desk, and of what only looks like them."""

from models.train.things.books import notebook
from models.train.things.devices import camera, headphones, remote
from models.train.things.handheld import card, pen, usb_stick
from models.train.things.lookalikes import LOOKALIKES, lookalike
from models.train.things.paperware import paper, sticky_note
from models.train.things.screens import phone, tablet

__all__ = [
    "LOOKALIKES",
    "camera",
    "card",
    "headphones",
    "lookalike",
    "notebook",
    "paper",
    "pen",
    "phone",
    "remote",
    "sticky_note",
    "tablet",
    "usb_stick",
]
