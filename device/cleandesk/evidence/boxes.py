"""Boxes of whole pixels: x1, y1, x2, y2, the last two not included."""

from collections.abc import Iterable
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
Boxes = NDArray[np.float32]


def whole(image: NDArray[np.uint8]) -> Box:
    """Return the box of a whole picture, uint8 [height, width, 3]."""
    return 0, 0, image.shape[1], image.shape[0]


def widened(
    box: Iterable[float], within: Box, *, share: float = 0, pixels: float = 0
) -> Box | None:
    """Return all pixels that a box touches, after it was made larger.

    Args:
        box: x1, y1, x2, y2, pixels.
        within: What lies outside of it is left out.
        share: Of the box's width and height, added on each side.
        pixels: Added on each side too.

    Returns:
        None if nothing of it is left.
    """
    x1, y1, x2, y2 = box
    right, down = (x2 - x1) * share + pixels, (y2 - y1) * share + pixels
    return shared((floor(x1 - right), floor(y1 - down), ceil(x2 + right), ceil(y2 + down)), within)


def shared(a: Box, b: Box) -> Box | None:
    """Return what two boxes have in common; None if nothing."""
    x1, y1, x2, y2 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def square(box: Box, within: Box, side: float) -> Box:
    """Return a square around a box's middle, shifted and cut so that it lies within another."""
    half = [side / 2, side / 2]
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    spans = []
    for axis in (0, 1):
        low, high = within[axis], within[axis + 2]
        start = min(max(middle[axis] - half[axis], low), max(low, high - side))
        spans.append((floor(start), min(high, ceil(start + side))))
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def moved(box: Box, x: int, y: int) -> Box:
    """Return a box so many pixels further right and down."""
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y
