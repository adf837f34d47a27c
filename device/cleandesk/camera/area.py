"""The part of the picture that may be looked at; the rest is blanked before anything sees it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.settings import Zone


@dataclass(frozen=True, slots=True)
class _Fit:
    """An area at one picture size: the box around it, and what to keep; None: the whole box."""

    size: tuple[int, int]
    box: tuple[int, int, int, int]
    keep: NDArray[np.uint8] | None


class Area:
    """Blanks what lies outside the configured polygon and crops to it.

    Cropping gives small things more of the detector's pixels.

    Args:
        zone: The polygon; None: the whole picture.
        size: Width and height of the pictures to come, to prepare for; others are prepared when
            they first come.
    """

    def __init__(self, zone: Zone | None, size: tuple[int, int] | None = None) -> None:
        self._zone = zone
        self._fit = None if zone is None or size is None else _fit(zone, size)

    def apply(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
        """Blank a picture in place and return the part to look at.

        Args:
            image: uint8 [height, width, 3]; outside the area it is black afterwards.

        Returns:
            A view of the picture, uint8 [h, w, 3], and the place of its first pixel (x, y).
        """
        if self._zone is None:
            return image, (0, 0)
        size = (image.shape[1], image.shape[0])
        if self._fit is None or self._fit.size != size:
            self._fit = _fit(self._zone, size)
        x1, y1, x2, y2 = self._fit.box
        if self._fit.keep is None:  # a third of the time that a mask takes
            image[:y1] = image[y2:] = 0
            image[y1:y2, :x1] = image[y1:y2, x2:] = 0
        else:
            cv2.bitwise_and(image, self._fit.keep, dst=image)
        return image[y1:y2, x1:x2], (x1, y1)


def _fit(zone: Zone, size: tuple[int, int]) -> _Fit:
    width, height = size
    corners = np.array(
        [(round(x * (width - 1)), round(y * (height - 1))) for x, y in zone.polygon], np.int32
    )
    x1, y1 = (int(v) for v in corners.min(axis=0))
    x2, y2 = (int(v) + 1 for v in corners.max(axis=0))
    keep = np.zeros((height, width, 3), np.uint8)
    cv2.fillPoly(keep, [corners], (255, 255, 255))
    return _Fit(size, (x1, y1, x2, y2), None if keep[y1:y2, x1:x2].all() else keep)
