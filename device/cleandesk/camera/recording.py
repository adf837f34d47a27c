"""A recording as a camera: numbers its frames, dates them by its own time, repeats it if asked."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cleandesk.camera.frame import Frame
from cleandesk.camera.protocol import CameraError
from cleandesk.clock import Clock, Instant
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a recording.

    Attributes:
        image: uint8 [height, width, 3], blue-green-red.
        pts_s: Seconds since the recording's first picture.
        lasts_s: Seconds until the next one is due.
    """

    image: NDArray[np.uint8]
    pts_s: float
    lasts_s: float


class Reader(Protocol):
    """Yields a recording's pictures from its first to its last."""

    @property
    def name(self) -> str:
        """Its path."""
        ...

    def open(self) -> None:
        """Go to the first picture.

        Raises:
            CameraError: `UNAVAILABLE` if it cannot be had, `BROKEN` if it is none.
        """
        ...

    def next(self) -> Picture | None:
        """Return the next picture; None after the last.

        Raises:
            CameraError: `BROKEN` if it is damaged or cut off.
        """
        ...

    def close(self) -> None:
        """Let go of it; harmless when it is not open."""
        ...


class Timeline:
    """Turns a recording's own seconds into moments.

    Monotonic time runs on from the clock's at the first frame; UTC from `starts_at`, which is
    taken as trusted, or else from the clock.
    """

    def __init__(self, clock: Clock, starts_at: datetime | None) -> None:
        self._clock = clock
        self._starts_at = starts_at
        self._start: Instant | None = None

    def at(self, seconds: float) -> Instant:
        """Return the moment so many seconds after the first frame."""
        if self._start is None:
            now = self._clock.now()
            given = self._starts_at
            self._start = now if given is None else Instant(now.mono, given.astimezone(UTC), True)
        start = self._start
        return Instant(start.mono + seconds, start.utc + timedelta(seconds=seconds), start.synced)


class Recording:
    """A video file or a folder of pictures, as a camera.

    Unpaced (`realtime: false`) it waits to be read. Paced, its frames are dated ahead and the
    capture thread hands each on when it is due; the newest wins, as with a camera.
    """

    def __init__(self, reader: Reader, settings: CameraSettings, clock: Clock) -> None:
        self._reader = reader
        self._settings = settings
        self._timeline = Timeline(clock, settings.starts_at)
        self._number = 0
        self._pass_start_s = 0.0
        self._pass_end_s = 0.0

    @property
    def name(self) -> str:
        """The recording's path."""
        return self._reader.name

    @property
    def live(self) -> bool:
        """Whether it is paced by its own time."""
        return self._settings.realtime

    @property
    def frozen_after_s(self) -> float | None:
        """Only what the settings ask for: still pictures are normal here."""
        return self._settings.frozen_after_s

    def open(self) -> None:
        """Go to the first picture.

        Raises:
            CameraError: `UNAVAILABLE` or `BROKEN`.
        """
        self._reader.open()
        self._pass_start_s = self._pass_end_s

    def read(self, timeout_s: float) -> Frame:  # noqa: ARG002 - a file answers at once
        """Return the next frame.

        Raises:
            CameraError: `ENDED` after the last frame, `BROKEN` if the recording is damaged.
        """
        picture = self._reader.next()
        if picture is None:
            picture = self._first_again()
        self._number += 1
        seconds = self._pass_start_s + picture.pts_s
        self._pass_end_s = seconds + picture.lasts_s
        return Frame(picture.image, self._timeline.at(seconds), self._number)

    def _first_again(self) -> Picture:
        if self._pass_end_s == self._pass_start_s:
            raise CameraError(
                CameraFault.BROKEN, f"{self.name}: holds no picture; record or copy it again"
            )
        if not self._settings.repeat:
            raise CameraError(
                CameraFault.ENDED,
                f"{self.name}: ended after {self._number} frames; "
                "set camera.repeat to begin again at the end",
            )
        self.open()
        picture = self._reader.next()
        if picture is None:
            raise CameraError(
                CameraFault.BROKEN,
                f"{self.name}: held pictures before and holds none now; leave it in place while "
                "it repeats",
            )
        return picture

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()
