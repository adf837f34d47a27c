"""Pictures that cannot be believed: black ones and frozen ones. Pure: its time is the frames'."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleandesk.camera.frame import Frame
from cleandesk.clock import Instant
from cleandesk.contract.messages import CameraFault

#: One row in so many, and of it one byte in so many. Neither shares a divisor with the 8 by 8
#: pixels of a block in JPEG and video, nor with a pixel's 3 bytes: the samples fall on every place
#: of a block and on each colour. Rows cost the most: each is fetched from memory as a whole.
ROWS, STRIDE = 21, 23
#: Of a small part of a picture such samples would be too few to tell: then all of it counts.
_FEWEST = 1000
#: Dark: all but a few stray samples (a standby light, a hot pixel) are at most this bright, of 255.
#: It bounds mean and spread at once. Video black is 16 where a decoder leaves the range as it is.
DARK_LEVEL = 20
DARK_SHARE = 0.98


@dataclass(frozen=True, slots=True)
class Sight:
    """What the watch says of one frame.

    Attributes:
        fault: `BLACK` or `FROZEN`, once it has lasted long enough.
        since: When it began.
        usable: Whether the frame tells anything of the desk. A dark one never does, not even
            before it is a fault: nothing is seen in it, which is not the same as a clean desk.
    """

    fault: CameraFault | None
    since: Instant | None
    usable: bool


class Watch:
    """Tells whether a camera's frames have been black, or all the same, for too long.

    It sees what may be looked at, as everything else does.

    Args:
        black_after_s: Dark frames over so long are a fault.
        frozen_after_s: Identical frames over so long are a fault; None: never.
    """

    def __init__(self, black_after_s: float, frozen_after_s: float | None) -> None:
        self._black_after_s = black_after_s
        self._frozen_after_s = frozen_after_s
        self._dark_since: Instant | None = None
        self._same_since: Instant | None = None
        self._sample: NDArray[np.uint8] | None = None

    def look(self, frame: Frame) -> Sight:
        """Judge a frame; frames come in order."""
        sample, at = _sample(frame), frame.at
        if is_dark(sample):
            self._sample = self._same_since = None
            self._dark_since = self._dark_since or at
            black = at.mono - self._dark_since.mono >= self._black_after_s
            return Sight(CameraFault.BLACK if black else None, self._dark_since, usable=False)
        self._dark_since = None
        if self._frozen_after_s is None:
            return Sight(None, None, usable=True)
        if self._sample is None or not np.array_equal(self._sample, sample):
            self._sample = sample
            self._same_since = at
        since = self._same_since or at
        if at.mono - since.mono >= self._frozen_after_s:
            return Sight(CameraFault.FROZEN, since, usable=False)
        return Sight(None, None, usable=True)


def _sample(frame: Frame) -> NDArray[np.uint8]:
    """Return some bytes of what may be looked at, uint8 of any shape, in memory of their own."""
    view = frame.view
    rows = view[::ROWS]
    inside = None if frame.part is None else frame.part.inside
    if inside is None:
        some = rows.reshape(len(rows), -1)[:, ::STRIDE]
        return (some if some.size >= _FEWEST else view).copy()
    # One pixel in so many has as many bytes as one byte in so many.
    some = rows[:, ::STRIDE][inside[::ROWS, ::STRIDE]]
    return some if some.size >= _FEWEST else view[inside]


def is_dark(sample: NDArray[np.uint8]) -> bool:
    """Say whether nearly all of a sample, uint8 of any shape, is near black.

    >>> is_dark(np.full((9, 9), 16, np.uint8)), is_dark(np.full((9, 9), 60, np.uint8))
    (True, False)
    """
    return bool(np.count_nonzero(sample <= DARK_LEVEL) >= DARK_SHARE * sample.size)
