"""One picture and when it was taken."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleandesk.clock import Instant


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture from a camera. It lives in memory and is never written anywhere.

    Attributes:
        image: uint8 [height, width, 3], blue-green-red.
        at: When it was taken; for recordings, the recording's own time.
        number: Counts up by one for each frame that the source delivered.
    """

    image: NDArray[np.uint8]
    at: Instant
    number: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        height, width = self.image.shape[:2]
        return width, height
