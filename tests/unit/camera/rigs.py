"""A capture thread with what surrounds it, and cameras that do as a script says."""

import random
import threading
import time
from collections.abc import Callable

import pytest

from cleandesk.camera import Area, CameraError, CameraFactory, Capture, CaptureState, Frame
from cleandesk.camera.recovery import Ladder, LadderSettings
from cleandesk.clock import Clock
from cleandesk.contract.messages import CameraFault
from cleandesk.loop import Tray
from cleandesk.settings import CameraSettings
from tests.unit.camera.sources import picture

QUICK = LadderSettings(flushes=1, reopens=3, first_delay_s=0.001, max_delay_s=0.002)


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread; a minute is far more than any of this takes."""
    for _ in range(12_000):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("it never came to be")


def until_well(made: "Rig", frames: int = 1) -> None:
    """Wait for so many frames, and until whoever listens has heard that the last fault is over."""
    until(lambda: made.state.frames >= frames and made.faults[-1:] == [None])


class Slot:
    """The loop's tray, with frames as they are."""

    def __init__(self) -> None:
        self._tray: Tray[Frame] = Tray()
        self.clear, self.take = self._tray.clear, self._tray.take

    @property
    def dropped(self) -> int:
        return self._tray.dropped

    def put(self, frame: Frame) -> None:
        self._tray.put(self._tray.begin(), frame)

    def put_wait(self, frame: Frame, *, unless: threading.Event) -> bool:
        place = self._tray.begin_after(unless=unless)
        if place is not None:
            self._tray.put(place, frame)
        return place is not None


class Rig:
    """A capture thread with what surrounds it."""

    def __init__(
        self, factory: CameraFactory, settings: CameraSettings, clock: Clock, **options: object
    ) -> None:
        self.clock = clock
        self.slot = Slot()
        self.changes: list[CaptureState] = []
        ladder = Ladder(QUICK, random.random)
        defaults = {"ladder": ladder, "on_change": self.changes.append, "area": Area(None)}
        options = {**defaults, **options}
        self.capture = Capture(factory, self.slot, settings, clock, **options)  # type: ignore[arg-type]

    @property
    def state(self) -> CaptureState:
        return self.capture.state(self.clock.now())

    @property
    def faults(self) -> list[CameraFault | None]:
        return [state.fault for state in self.changes]

    def drain(self) -> list[Frame]:
        """Take frames until the recording is over."""
        frames = []
        while True:
            over = self.state.ended  # asked first: the last frame may come after a look for it
            frame = self.slot.take(0.02)
            if frame is not None:
                frames.append(frame)
            elif over:
                return frames


MakeRig = Callable[..., Rig]


class ScriptedCamera:
    """Stands for a driver: does what a script says, then delivers for ever."""

    name = "scripted"
    live = True
    frozen_after_s: float | None = None

    def __init__(self, clock: Clock, *reads: CameraFault | Exception | None) -> None:
        self.clock = clock
        self.reads = list(reads)
        self.opens: list[CameraFault | Exception | None] = []
        self.calls: list[str] = []
        self.number = 0

    def open(self) -> None:
        self.calls.append("open")
        fault = self.opens.pop(0) if self.opens else None
        if fault is not None:
            self.fail(fault)

    def read(self, timeout_s: float) -> Frame:
        assert timeout_s == 5
        self.calls.append("read")
        fault = self.reads.pop(0) if self.reads else None
        if fault is not None:
            self.fail(fault)
        time.sleep(0.001)
        self.number += 1
        return Frame(picture(40 + self.number % 50), self.clock.now(), self.number)

    def close(self) -> None:
        self.calls.append("close")

    def fail(self, fault: CameraFault | Exception) -> None:
        raise CameraError(fault, f"so {fault}") if isinstance(fault, CameraFault) else fault
