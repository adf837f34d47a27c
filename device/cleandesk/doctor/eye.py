"""Looks at one of the running camera's pictures, when somebody asks, and keeps numbers of it."""

import threading

from cleandesk.camera import Frame
from cleandesk.doctor.picture import Glimpse


class Eye:
    """Measures the next picture for those who wait for it; without them it does nothing."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = 0
        self._seen: Glimpse | None = None

    def offer(self, frame: Frame) -> None:
        """Take a blanked picture; in the camera's thread."""
        if not self._waiting:
            return
        seen = Glimpse.of(frame)
        with self._changed:
            self._seen = seen
            self._changed.notify_all()

    def look(self, timeout_s: float) -> Glimpse | None:
        """Return what the next picture tells; None if none comes in time."""
        with self._changed:
            self._waiting += 1
            self._seen = None
            try:
                self._changed.wait_for(lambda: self._seen is not None, timeout_s)
                return self._seen
            finally:
                self._waiting -= 1
