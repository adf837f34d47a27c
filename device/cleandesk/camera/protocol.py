"""What every camera can do, and how it fails."""

from collections.abc import Callable
from typing import Protocol

from cleandesk.camera.frame import Frame
from cleandesk.contract.messages import CameraFault


class CameraError(Exception):
    """A camera that could not be opened or read.

    Attributes:
        fault: Its name, as published.
        detail: Where and why, and what to do about it; one line, without secrets.
    """

    def __init__(self, fault: CameraFault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail


class Camera(Protocol):
    """A source of frames, used by one thread: open, read again and again, close.

    `live` sources go on without us, so the newest frame wins; others wait to be read, so that no
    frame of a recording is skipped.
    """

    @property
    def name(self) -> str:
        """The source for people, without credentials."""
        ...

    @property
    def live(self) -> bool:
        """Whether frames come whether or not they are read."""
        ...

    @property
    def frozen_after_s(self) -> float | None:
        """Identical frames for so long are a fault; None where they are normal."""
        ...

    def open(self) -> None:
        """Start the sensor.

        Raises:
            CameraError: If it cannot be had.
        """
        ...

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame.

        Raises:
            CameraError: `STALLED` after the time-out (what was queued is dropped, so that the
                next read starts afresh), `ENDED` after the last frame,
                `BROKEN` if what came is no picture.
        """
        ...

    def close(self) -> None:
        """Stop the sensor; harmless when it is not open."""
        ...


CameraFactory = Callable[[], Camera]
