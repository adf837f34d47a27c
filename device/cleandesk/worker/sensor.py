"""The camera as the worker sees it: it runs and the light is on, or both are off."""

from typing import Protocol


class Stoppable(Protocol):
    """What `camera.Capture` can do."""

    def start(self) -> None:
        """Start it; it has let go since it was stopped."""
        ...

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Stop it; say whether it has let go within so many seconds."""
        ...


class Light(Protocol):
    """What a lamp can do."""

    def on(self) -> None:
        """Light it."""
        ...

    def off(self) -> None:
        """Put it out."""
        ...


class NoLight:
    """Stands for the light where there is none."""

    def on(self) -> None:
        """Do nothing."""

    def off(self) -> None:
        """Do nothing."""


class Sensor:
    """Starts and stops camera and light together. The caller's lock guards it.

    Attributes:
        runs: It was started, and has not let go since: then frames may be acquired.
        stopping: It was told to stop, and has not let go yet.
    """

    def __init__(self, camera: Stoppable, light: Light) -> None:
        self._camera, self._light = camera, light
        self.runs = self.stopping = False

    def start(self) -> None:
        """Light the light and start the camera, unless it runs or has not let go yet."""
        if self.stopping and not self.stop(0.0):
            return
        if not self.runs:
            self._light.on()
            self._camera.start()
            self.runs = True

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Stop the camera, then put out the light; say whether the camera has let go.

        Args:
            timeout_s: Wait at most so long, seconds; call again if it was too short.
        """
        self.stopping = self.runs and not self._camera.stop(timeout_s)
        if not self.stopping:
            self.runs = False
            self._light.off()
        return not self.runs
