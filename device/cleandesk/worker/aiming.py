"""The aiming view: the latest picture, on the worker's own page, started by hand and soon over.

A picture is encoded in memory here and goes to the worker's page and nowhere else. The one other
place of a box that encodes pictures makes redacted stills (`evidence/encode.py`).
"""

import threading
from datetime import datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.clock import Clock, Instant
from cleandesk.worker.break_mode import Note

#: It ends by itself after so long.
LASTS_S = 300.0
#: A page that goes on asking after that does not start it again: nobody asks for so long first.
PAUSE_S = 10.0
#: An older picture is not shown: it would pass for what is there now.
STALE_S = 4.0
_WIDTH = 640
_QUALITY = 70
_FIRST_S = 3.0
_PICTURES_PER_S = 5.0


class Aiming:
    """Keeps a small copy of the latest picture while the view is on, and only then.

    Args:
        clock: The box's.
        note: Enters the view's beginning into the ledger.
        period_s: The longest time between two pictures of a camera that works, seconds.
    """

    def __init__(self, clock: Clock, note: Note, *, period_s: float = 1.0) -> None:
        self._clock, self._note = clock, note
        self._stale_s = max(STALE_S, 2 * period_s)
        self._changed = threading.Condition()
        self._until: Instant | None = None
        self._ended: float | None = None
        self._small: NDArray[np.uint8] | None = None
        self._taken = float("-inf")

    @property
    def until(self) -> datetime | None:
        """When the view ends by itself; None: it is off."""
        until = self._until
        on = until is not None and self._clock.now().mono < until.mono
        return until.utc if on and until is not None else None

    def offer(self, image: NDArray[np.uint8]) -> None:
        """Take a blanked picture, uint8 [height, width, 3]; in the camera's thread."""
        if self._until is None:
            return
        now = self._clock.now().mono
        if now - self._taken < 1 / _PICTURES_PER_S:
            return
        self._taken = now
        height, width = image.shape[:2]
        scale = min(1.0, _WIDTH / width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        with self._changed:
            if self._until is not None:
                self._small = np.array(small, np.uint8)
                self._changed.notify_all()

    def picture(self) -> tuple[bytes, datetime] | None:
        """Return a JPEG and when the view ends; starts the view. Waits for the first picture.

        Returns:
            None if the view is over and still asked for, or no picture comes, or none came for a
            few seconds.
        """
        if not self._on():
            return None
        with self._changed:
            self._changed.wait_for(lambda: self._small is not None or self._until is None, _FIRST_S)
            small, until = self._small, self._until
            age_s = self._clock.now().mono - self._taken
        if small is None or until is None or age_s > self._stale_s:
            return None
        done, jpeg = cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
        return (jpeg.tobytes(), until.utc) if done else None

    def stop(self) -> None:
        """End the view, and forget its picture."""
        with self._changed:
            self._until = self._small = self._ended = None
            self._changed.notify_all()

    def step(self, now: Instant) -> None:
        """End the view when its time is over; call it every second or so."""
        until = self._until
        if until is not None and now.mono >= until.mono:
            self.stop()
            self._ended = now.mono

    def _on(self) -> bool:
        """Start the view, unless it is on; False if it has just ended by itself."""
        now = self._clock.now()
        self.step(now)
        with self._changed:
            if self._until is not None:
                return True
            if self._ended is not None and now.mono - self._ended < PAUSE_S:
                self._ended = now.mono
                return False
            self._until = Instant(
                now.mono + LASTS_S, now.utc + timedelta(seconds=LASTS_S), now.synced
            )
        self._note("aiming_view", "The aiming view was started: the page shows the picture.")
        return True
