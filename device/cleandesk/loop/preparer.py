"""The capture thread's last step: a frame becomes the model's input while the model is at work."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.camera import Frame
from cleandesk.clock import Instant
from cleandesk.detector import Detector, Prepared
from cleandesk.loop.scene import Plane, Shrinker
from cleandesk.loop.tray import Tray
from cleandesk.vitals import StageTimer

#: A camera's period jitters: waiting for the whole of a look's would skip every other frame.
_PERIOD_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Ready:
    """A frame that can be looked at; its picture is gone, but for what the model gets, or a still.

    Attributes:
        at: When it was taken.
        number: As the camera counted it.
        size: Of the whole picture, width and height, pixels.
        origin: Where the part that is looked at begins in it, x and y.
        prepared: That part as the model's input.
        plane: The same, tiny; None where no gate wants it.
        picture: A copy of the whole picture, blanked outside the area, for a still; None where none
            is wanted.
    """

    at: Instant
    number: int
    size: tuple[int, int]
    origin: tuple[int, int]
    prepared: Prepared
    plane: Plane | None
    picture: NDArray[np.uint8] | None = None


class Preparer:
    """Takes the frames of the capture thread, and leaves those that are due on a tray, ready.

    Pixels outside the area were blanked before; only the part inside becomes input.

    Args:
        detector: Prepares its own input.
        tray: Where frames are left.
        timer: For the stage `prepare`.
        looks_per_s: How often a frame is due.
        gated: Whether the gate needs a small plane of each.
        tap: Shown each blanked frame, in the capture thread; copies what it keeps.
        wanted: Asked there whether the picture is to be copied; without it none ever is.

    Attributes:
        looks_per_s: How often a frame is due; may be changed at any time.
    """

    def __init__(
        self,
        detector: Detector,
        tray: Tray[Ready],
        timer: StageTimer,
        *,
        looks_per_s: float,
        gated: bool = True,
        tap: Callable[[Frame], None] | None = None,
        wanted: Callable[[], bool] | None = None,
    ) -> None:
        # OpenCV's own threads would take the cores that inference runs on.
        cv2.setNumThreads(1)
        self._detector, self._tray, self._timer = detector, tray, timer
        spec = detector.manifest.input
        self._shrinker = Shrinker(spec.width, spec.height) if gated else None
        self._tap, self._wanted = tap, wanted
        self._next = float("-inf")
        self.looks_per_s = looks_per_s

    @property
    def dropped(self) -> int:
        """Frames that were due and prepared, and that a newer one replaced."""
        return self._tray.dropped

    def put(self, frame: Frame) -> None:
        """Prepare a camera's frame if one is due, in place of one that was not taken yet."""
        if self._tray.waiting or frame.at.mono >= self._next:
            self._prepare(frame, self._tray.begin())

    def put_wait(self, frame: Frame, *, unless: threading.Event) -> bool:
        """Prepare a recording's frame if one is due, once the one before it was taken.

        Args:
            frame: The next one.
            unless: Set before `clear()` to give up waiting.

        Returns:
            Whether it was dealt with.
        """
        if frame.at.mono < self._next:
            return True
        place = self._tray.begin_after(unless=unless)
        if place is not None:
            self._prepare(frame, place)
        return place is not None

    def clear(self) -> None:
        """Throw away what was not taken, and let a waiting sender see that it should give up."""
        self._tray.clear()

    def _prepare(self, frame: Frame, place: int) -> None:
        self._next = frame.at.mono + _PERIOD_SHARE / self.looks_per_s
        if self._tap:
            self._tap(frame)
        with self._timer.stage("prepare"):
            prepared = self._detector.prepare(frame.view, place)
            plane = self._shrinker.plane(prepared.small) if self._shrinker else None
        picture = frame.image.copy() if self._wanted and self._wanted() else None
        ready = Ready(frame.at, frame.number, frame.size, frame.origin, prepared, plane, picture)
        self._tray.put(place, ready)
