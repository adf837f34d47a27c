"""The part of the picture that may be looked at; the rest is blanked before anything sees it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.camera.frame import Frame, Part
from cleandesk.settings import Zone
from cleandesk.vitals import StageTimer


@dataclass(frozen=True, slots=True)
class _Fit:
    """An area at one picture size: the part, and what to keep; None: the part's whole box."""

    size: tuple[int, int]
    part: Part
    keep: NDArray[np.uint8] | None


class Area:
    """Blanks what lies outside the configured polygon and says where that is.

    Looking at the box around it alone gives small things more of the detector's pixels.

    Args:
        zone: The polygon; None: the whole picture.
        size: Width and height of the pictures to come, to prepare for; others are prepared when
            they first come.
        timer: For the stage `area`.
    """

    def __init__(
        self,
        zone: Zone | None,
        size: tuple[int, int] | None = None,
        *,
        timer: StageTimer | None = None,
    ) -> None:
        self._zone = zone
        self._timer = timer or StageTimer()
        self._fit = None if zone is None or size is None else _fit(zone, size)

    def blank(self, frame: Frame) -> Frame:
        """Blank a frame's picture in place: no copy of it as it came is left behind.

        Returns:
            The frame, with the part that may be looked at.
        """
        with self._timer.stage("area"):
            return frame if self._zone is None else self._blank(frame, self._zone)

    def _blank(self, frame: Frame, zone: Zone) -> Frame:
        if self._fit is None or self._fit.size != frame.size:
            self._fit = _fit(zone, frame.size)
        image = frame.image
        if self._fit.keep is None:  # a third of the time that a mask takes
            x1, y1, x2, y2 = self._fit.part.box
            image[:y1] = image[y2:] = 0
            image[y1:y2, :x1] = image[y1:y2, x2:] = 0
        else:
            cv2.bitwise_and(image, self._fit.keep, dst=image)
        return replace(frame, part=self._fit.part)


def _fit(zone: Zone, size: tuple[int, int]) -> _Fit:
    width, height = size
    corners = np.array(
        [(round(x * (width - 1)), round(y * (height - 1))) for x, y in zone.polygon], np.int32
    )
    x1, y1 = (int(v) for v in corners.min(axis=0))
    x2, y2 = (int(v) + 1 for v in corners.max(axis=0))
    keep = np.zeros((height, width, 3), np.uint8)
    cv2.fillPoly(keep, [corners], (255, 255, 255))
    inside = keep[y1:y2, x1:x2, 0] > 0
    box = (x1, y1, x2, y2)
    if inside.all():
        return _Fit(size, Part(box), None)
    return _Fit(size, Part(box, inside), keep)
