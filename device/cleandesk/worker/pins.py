"""The worker's button and the light, on the computer's pins by gpiozero."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from cleandesk.settings_worker import GpioSettings
from cleandesk.worker.sensor import Light, NoLight

log = logging.getLogger(__name__)

#: Held so long, the button resets the page's PIN and does nothing else.
HOLD_S = 10.0
_BOUNCE_S = 0.05


class PinError(Exception):
    """A pin cannot be used; the text names it, the reason and the fix."""


class Pins:
    """The pins that the settings name; gpiozero is imported only if they name one.

    Raises:
        PinError: If gpiozero or its driver is missing, or a pin cannot be had.
    """

    def __init__(self, settings: GpioSettings) -> None:
        self._button: Any = None
        self._led: Any = None
        self._held = False
        if settings.button is not None:
            times = {"hold_time": HOLD_S, "bounce_time": _BOUNCE_S}
            self._button = _device("Button", settings.button, **times)
        if settings.light is not None:
            self._led = _device("LED", settings.light)

    @property
    def light(self) -> Light:
        """The light, or what stands for it."""
        return NoLight() if self._led is None else _Lamp(self._led)

    def listen(self, pushed: Callable[[], None], held: Callable[[], None]) -> None:
        """Have a push and a long push told, in gpiozero's thread.

        Args:
            pushed: The button was let go within `HOLD_S`.
            held: It was held for `HOLD_S`.
        """

        def hold() -> None:
            self._held = True
            held()

        def release() -> None:
            was_held, self._held = self._held, False
            if not was_held:
                pushed()

        if self._button is not None:
            self._button.when_held, self._button.when_released = hold, release

    def close(self) -> None:
        """Put out the light and let go of the pins."""
        for device in (self._button, self._led):
            if device is not None:
                device.close()
        self._button = self._led = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Lamp:
    """The light; a pin that fails later is said in the log, and stops nobody's break."""

    def __init__(self, led: Any) -> None:
        self._led = led

    def on(self) -> None:
        """Light it."""
        self._switch(self._led.on)

    def off(self) -> None:
        """Put it out."""
        self._switch(self._led.off)

    def _switch(self, switch: Callable[[], None]) -> None:
        try:
            switch()
        except Exception:
            log.exception("the light cannot be switched; check its pin and wires")


def _device(kind: str, pin: int, **options: float) -> Any:
    try:
        import gpiozero  # noqa: PLC0415 - only where the settings name a pin
    except ImportError as error:
        raise PinError(
            f"gpio: gpiozero is not installed; install cleandesk[device], or name no pin: {error}"
        ) from error
    try:
        return getattr(gpiozero, kind)(pin, **options)
    except (gpiozero.GPIOZeroError, OSError) as error:
        raise PinError(
            f"gpio: pin {pin} cannot be had ({error}); install python3-lgpio, add the box's user "
            "to group gpio, and see that nothing else uses the pin"
        ) from error
