"""One picture and when it was taken."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleandesk.clock import Instant


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a picture that may be looked at.

    Attributes:
        box: The box around it, x1, y1, x2, y2, pixels.
        inside: Which of the box's pixels it holds, bool [height, width]; None: all.
    """

    box: tuple[int, int, int, int]
    inside: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture from a camera. It lives in memory and is never written anywhere.

    Attributes:
        image: uint8 [height, width, 3], blue-green-red; outside `part` it is black.
        at: When it was taken; for recordings, the recording's own time.
        number: Counts up by one for each frame that the source delivered.
        part: What may be looked at; None: all of it.
    """

    image: NDArray[np.uint8]
    at: Instant
    number: int
    part: Part | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture, pixels."""
        height, width = self.image.shape[:2]
        return width, height

    @property
    def view(self) -> NDArray[np.uint8]:
        """The part to look at: a view of `image`, uint8 [h, w, 3]."""
        if self.part is None:
            return self.image
        x1, y1, x2, y2 = self.part.box
        return self.image[y1:y2, x1:x2]

    @property
    def origin(self) -> tuple[int, int]:
        """Where the first pixel of `view` lies in the picture, x and y."""
        return (0, 0) if self.part is None else self.part.box[:2]
