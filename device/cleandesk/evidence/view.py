"""Parts of a picture, upright and turned: who is missed in one is seen in another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleandesk.evidence.boxes import Box, Boxes

#: Quarter turns.
TURNS = (0, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a picture.

    Attributes:
        part: What is looked at.
        turns: By how many quarter turns it is turned, against the clock.
    """

    part: Box
    turns: int

    def of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what is seen of a picture, uint8 [height, width, 3]."""
        x1, y1, x2, y2 = self.part
        return np.ascontiguousarray(np.rot90(image[y1:y2, x1:x2], self.turns))

    def back(self, boxes: Boxes) -> Boxes:
        """Return boxes found in the view, float32 [n, 4], where they lie in the picture."""
        left, top, right, bottom = self.part
        x1, y1, x2, y2 = boxes.T
        for turn in range(self.turns, 0, -1):
            height = right - left if turn % 2 else bottom - top  # of the view turned so often
            x1, y1, x2, y2 = height - y2, x1, height - y1, x2
        return np.stack([x1 + left, y1 + top, x2 + left, y2 + top], axis=1).astype(np.float32)


def views(*parts: Box) -> list[View]:
    """Return every part in each turn, upright ones first; a part that is named twice only once."""
    return [View(part, turns) for turns in TURNS for part in dict.fromkeys(parts)]
