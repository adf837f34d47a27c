"""Whether the desk looks as it did: a tiny picture compared with an earlier one, beyond noise."""

import cv2
import numpy as np
from numpy.typing import NDArray

#: The model's input is halved so often each way: a cell is 8 by 8 of its pixels, the finest step of
#: the detector's grid.
HALVINGS = 3
#: A cell has changed if it is brighter or darker by more than so many times the noise between two
#: frames, and by at least so many of 255: rounding and video compression move it by less.
NOISES, LEAST_LEVELS = 6.0, 4.0
#: More noise than this does not raise the threshold further: then each frame is looked at.
MOST_LEVELS = 16.0
#: The noise follows each frame's by such shares: quickly down, as after a movement that was taken
#: for noise, slowly up.
_FALL, _RISE = 0.3, 0.05
#: The quieter part of the cells tells the noise, so that what moves in the other part does not
#: count; the mean size of that part of a normal distribution's values, in standard deviations.
_QUIET_SHARE, _QUIET_MEAN = 0.75, 0.515

Plane = NDArray[np.uint8]


class Shrinker:
    """Makes planes of pictures of one size.

    Args:
        width: Of the pictures, pixels.
        height: Of the pictures, pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self._grey = np.zeros((height, width), np.uint8)
        self._halves = [
            np.zeros((max(1, height >> n), max(1, width >> n)), np.uint8)
            for n in range(1, HALVINGS + 1)
        ]

    def plane(self, picture: NDArray[np.uint8]) -> Plane:
        """Return a picture's brightness, uint8 [height / 8, width / 8].

        Args:
            picture: uint8 [height, width, 3], blue-green-red.
        """
        larger = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY, dst=self._grey)
        for half in self._halves:
            # Halving three times is a third of the time of one step to an eighth.
            size = (half.shape[1], half.shape[0])
            larger = cv2.resize(larger, size, dst=half, interpolation=cv2.INTER_AREA)
        return self._halves[-1].copy()


class Scene:
    """What the desk looked like when it was last looked at, and how noisy its pictures are."""

    def __init__(self) -> None:
        self._kept: Plane | None = None
        self._last: Plane | None = None
        self._noise: float | None = None

    @property
    def threshold(self) -> float:
        """How many of 255 levels a cell must differ by."""
        return min(max(NOISES * (self._noise or 0.0), LEAST_LEVELS), MOST_LEVELS)

    def changed(self, plane: Plane) -> bool:
        """Take the next frame's plane; say whether it differs from the one that was kept."""
        if self._last is not None:
            self._listen(np.asarray(cv2.absdiff(plane, self._last), np.uint8))
        self._last = plane
        if self._kept is None:
            return True
        return bool(cv2.absdiff(plane, self._kept).max() > self.threshold)

    def keep(self) -> None:
        """Compare later frames with the last one."""
        self._kept = self._last

    def forget(self) -> None:
        """Compare with nothing until one is kept: the next frame has changed."""
        self._kept = self._last = None

    def _listen(self, difference: NDArray[np.uint8]) -> None:
        """Follow the noise, one standard deviation between two frames."""
        ordered = np.sort(difference, axis=None)
        quiet = ordered[: max(1, round(_QUIET_SHARE * ordered.size))]
        now = float(quiet.mean()) / _QUIET_MEAN
        if self._noise is None:
            self._noise = now
        else:
            self._noise += (_FALL if now < self._noise else _RISE) * (now - self._noise)
