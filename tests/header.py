"""A stand-in for the pins of a Raspberry Pi's header: the kernel's side of libgpiod's Python."""

import errno
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import gpiod
import pytest
from gpiod import EdgeEvent, LineSettings
from gpiod.exception import RequestReleasedError
from gpiod.line import Direction, Value

from cleandesk.worker import header


class Line:
    """One pin, as the kernel has it, with a switch or a light on it."""

    def __init__(self) -> None:
        self.settings: LineSettings | None = None
        self.lit = False
        #: As in the kernel: readable is what has moves, and nothing else.
        self._guard = threading.Lock()
        self._moves: list[EdgeEvent] = []
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)

    def press(self, for_s: float = 0.0) -> None:
        """Press the switch and let it go, told in one; the moments are so far apart."""
        now = time.monotonic()
        self._tell((True, now - for_s), (False, now))

    def move(self, *, down: bool) -> None:
        """Press the switch, or let it go."""
        self._tell((down, time.monotonic()))

    def _tell(self, *moves: tuple[bool, float]) -> None:
        assert self.settings is not None
        assert self.settings.active_low, "a switch to ground"
        with self._guard:
            for down, at in moves:
                kind = EdgeEvent.Type.RISING_EDGE if down else EdgeEvent.Type.FALLING_EDGE
                self._moves.append(EdgeEvent(kind.value, int(at * 1e9), 0, 0, 0))
            os.eventfd_write(self.fd, 1)

    def taken(self) -> list[EdgeEvent]:
        """Return the moves that nobody has read."""
        with self._guard:
            if self._moves:
                os.eventfd_read(self.fd)
            moves, self._moves = self._moves, []
        return moves

    @property
    def moved(self) -> bool:
        """Whether there are some."""
        return bool(self._moves)


class _Request:
    def __init__(self, pins: Mapping[int, Line]) -> None:
        self._pins, self._live = pins, True

    @property
    def fd(self) -> int:
        return next(iter(self._pins.values())).fd

    def wait_edge_events(self, _timeout: float) -> bool:
        return any(line.moved for line in self._pins.values())

    def read_edge_events(self) -> list[EdgeEvent]:
        return [move for line in self._pins.values() for move in line.taken()]

    def set_value(self, pin: int, value: Value) -> None:
        if not self._live:
            raise RequestReleasedError
        self._pins[pin].lit = value is Value.ACTIVE

    def release(self) -> None:
        self._live = False
        for line in self._pins.values():
            line.settings = None


class Header:
    """All pins of a header.

    Attributes:
        chips: Labels, by the names of devices.
    """

    def __init__(self) -> None:
        self.chips = {"gpiochip0": "raspberrypi-exp-gpio", "gpiochip1": "pinctrl-bcm2711"}
        self._lines: dict[int, Line] = {}

    def line(self, pin: int) -> Line:
        """Return a pin."""
        return self._lines.setdefault(pin, Line())

    def open(self, path: str) -> Any:
        """Return what `gpiod.Chip` does."""
        if Path(path).name not in self.chips:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return _Chip(self, self.chips[Path(path).name])


class _Chip:
    def __init__(self, header: Header, label: str) -> None:
        self._header, self._label = header, label

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_info(self) -> Any:
        return SimpleNamespace(label=self._label)

    def request_lines(self, config: Mapping[int, LineSettings], *, consumer: str) -> _Request:
        assert consumer == "cleandesk"
        assert self._label in header.LABELS
        for pin, settings in config.items():
            line = self._header.line(pin)
            if line.settings is not None:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
            line.settings, line.lit = settings, settings.output_value is Value.ACTIVE
            assert settings.direction is not Direction.AS_IS
        return _Request({pin: self._header.line(pin) for pin in config})


@contextmanager
def a_header(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Header]:
    """Have a header's pins in this process."""
    made = Header()
    for name in ("gpiochip0", "gpiochip1", "gpiochip2"):
        (folder / name).touch()
    patch.setattr(header, "_FOLDER", folder)
    patch.setattr(gpiod, "Chip", made.open)
    yield made
