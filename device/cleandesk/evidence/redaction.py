"""What a still shows and what it hides, and the drawing of it.

`Plan` is made of what detectors say; `draw` follows it and asks nobody. No pixel inside the plan's
filled boxes has any influence on the picture, and those outside the thing only as the mean of a
coarse block, or none at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from typing import NewType, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.evidence.boxes import Box, moved, shared

#: A picture that may leave the box, uint8 [height, width, 3], blue-green-red.
Redacted = NewType("Redacted", NDArray[np.uint8])

#: What is filled looks like nothing in a room, and the same everywhere.
FILL = (70, 62, 58)
#: Blocks along the longer side of a still, and the least side of one, pixels.
BLOCKS, LEAST_BLOCK = 10, 16


@dataclass(frozen=True, slots=True)
class Plan:
    """How a frame becomes a still, in pixels of the frame.

    Attributes:
        crop: What of the frame is in it.
        thing: What it is about, within the crop; the only part that is shown as it is.
        filled: Boxes of which nothing is shown, over the thing too; they may reach beyond the crop.
        alone: Whether nobody seems to be about; if not, the surroundings are filled as well.
    """

    crop: Box
    thing: Box
    filled: tuple[Box, ...]
    alone: bool

    def with_filled(self, more: Iterable[Box]) -> Self:
        """Return a plan that hides more."""
        return replace(self, filled=(*self.filled, *more))

    def hidden(self) -> NDArray[np.bool_]:
        """Return which pixels of the crop are filled, bool [height, width]."""
        x1, y1, x2, y2 = self.crop
        mask = np.full((y2 - y1, x2 - x1), not self.alone)
        mask[_at(self.thing, self.crop)] = False
        for box in self.filled:
            part = shared(box, self.crop)
            if part:
                mask[_at(part, self.crop)] = True
        return mask

    def shown(self) -> float:
        """Return the share of the thing that is not filled, 0-1."""
        return 1 - float(self.hidden()[_at(self.thing, self.crop)].mean())


def draw(frame: NDArray[np.uint8], plan: Plan) -> Redacted:
    """Return the still of a frame, in the frame's own pixels.

    Args:
        frame: uint8 [height, width, 3], blue-green-red; not changed.
        plan: What to show of it.
    """
    x1, y1, x2, y2 = plan.crop
    hidden = plan.hidden()
    bare = frame[y1:y2, x1:x2].copy()
    bare[hidden] = FILL
    picture = pixelated(bare)
    thing = _at(plan.thing, plan.crop)
    picture[thing] = bare[thing]
    picture[hidden] = FILL
    return Redacted(picture)


def pixelated(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture in blocks so coarse that no word and no face can be read in them."""
    height, width = picture.shape[:2]
    block = max(LEAST_BLOCK, ceil(max(height, width) / BLOCKS))
    few = ceil(width / block), ceil(height / block)
    small = cv2.resize(picture, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _at(box: Box, crop: Box) -> tuple[slice, slice]:
    x1, y1, x2, y2 = moved(box, -crop[0], -crop[1])
    return slice(y1, y2), slice(x1, x2)
