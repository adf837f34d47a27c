"""The pins on a Raspberry Pi's header, by libgpiod, the kernel's own library for them."""

import logging
import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import gpiod
from gpiod import Chip, EdgeEvent, LineRequest, LineSettings
from gpiod.line import Bias, Direction, Edge, Value

from cleandesk.worker.errors import PinError
from cleandesk.worker.presses import Press, Presses

log = logging.getLogger(__name__)

#: The kernel leaves out what is shorter.
BOUNCE = timedelta(milliseconds=50)
#: What the kernel calls the header's pins: up to the Raspberry Pi 3, the 4, the 5. In each, a line
#: has its pin's BCM number.
LABELS = frozenset({"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"})
_FOLDER = Path("/dev")
_CONSUMER = "cleandesk"
_PER_S = 1e9
_STOP_S = 2.0


class Button:
    """A switch between its pin and ground, listened to in a thread of its own.

    Args:
        pin: Its BCM number.
        hold_s: Held for so long, it is a long push.

    Raises:
        PinError: If the pin cannot be had.
    """

    def __init__(self, pin: int, hold_s: float) -> None:
        settings = LineSettings(
            direction=Direction.INPUT,
            edge_detection=Edge.BOTH,
            bias=Bias.PULL_UP,
            active_low=True,
            debounce_period=BOUNCE,
        )
        self._line, self._hold_s = _request(pin, settings), hold_s
        self._end = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread: threading.Thread | None = None

    def listen(self, told: Mapping[Press, Callable[[], None]]) -> None:
        """Begin to listen."""
        self._thread = threading.Thread(
            target=self._listen, args=(told,), name="button", daemon=True
        )
        self._thread.start()

    def _listen(self, told: Mapping[Press, Callable[[], None]]) -> None:
        presses = Presses(self._hold_s)
        try:
            while self._wait(presses.left_s(time.monotonic())):
                for press in (*self._moves(presses), presses.lasts(time.monotonic())):
                    if press is not None:
                        _tell(told[press])
        except OSError:
            log.exception("the button does nothing any more; look into the kernel's log")

    def _wait(self, longest_s: float | None) -> bool:
        """Wait for the button, or for so long; False: it is over."""
        ready, _, _ = select.select([self._line.fd, self._end], [], [], longest_s)
        return self._end not in ready

    def _moves(self, presses: Presses) -> Iterator[Press | None]:
        """Yield what the button's moves come to; the kernel tells each moment, monotonic."""
        if not self._line.wait_edge_events(0):
            return
        for move in self._line.read_edge_events():
            down = move.event_type is EdgeEvent.Type.RISING_EDGE
            yield presses.goes(down=down, at=move.timestamp_ns / _PER_S)

    def close(self) -> None:
        """Stop to listen, and let go of the pin."""
        os.eventfd_write(self._end, 1)
        if self._thread is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                return  # who is told has not come back: the pin goes with the process
        self._line.release()
        os.close(self._end)


class Lamp:
    """The light; a pin that fails later is said in the log, and stops nobody's break.

    Args:
        pin: Its BCM number.

    Raises:
        PinError: If the pin cannot be had.
    """

    def __init__(self, pin: int) -> None:
        settings = LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE)
        self._pin, self._line = pin, _request(pin, settings)

    def on(self) -> None:
        """Light it."""
        self._switch(Value.ACTIVE)

    def off(self) -> None:
        """Put it out."""
        self._switch(Value.INACTIVE)

    def _switch(self, value: Value) -> None:
        try:
            self._line.set_value(self._pin, value)
        except Exception:
            log.exception("the light cannot be switched; check its pin and wires")

    def close(self) -> None:
        """Put it out, and let go of the pin."""
        self.off()
        self._line.release()


def _tell(listener: Callable[[], None]) -> None:
    """Tell of a press; the next one is told whatever becomes of this one."""
    try:
        listener()
    except Exception:
        log.exception("what the button asked for was not done")


def _request(pin: int, settings: LineSettings) -> LineRequest:
    """Have a pin for this process alone.

    Raises:
        PinError: If there is no header, or the pin cannot be had.
    """
    with _header(pin) as chip:
        try:
            return chip.request_lines({pin: settings}, consumer=_CONSUMER)
        except (OSError, ValueError) as error:
            raise PinError(
                f"gpio: pin {pin} cannot be had ({error}); see that it is a pin of the header, and "
                "that nothing else uses it"
            ) from error


@contextmanager
def _header(pin: int) -> Iterator[Chip]:
    """Open the header's pins.

    Raises:
        PinError: If there is no such thing, or this user may not open it.
    """
    others: list[str] = []
    for path in sorted(_FOLDER.glob("gpiochip*")):
        try:
            chip = gpiod.Chip(str(path))
        except OSError as error:
            others.append(f"{path}: {error.strerror}")
            continue
        with chip:
            label = chip.get_info().label
            if label in LABELS:
                yield chip
                return
        others.append(f"{path}: {label}")
    raise PinError(
        f"gpio: pin {pin}: no header of a Raspberry Pi is here that this user may use "
        f"({', '.join(others) or 'there are no pins at all'}); add the box's user to group gpio, "
        "or name no pin"
    )
