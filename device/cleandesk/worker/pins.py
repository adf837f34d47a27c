"""The worker's button and the light, as far as the settings name them."""

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cleandesk.settings_worker import GpioSettings
from cleandesk.worker.errors import PinError
from cleandesk.worker.presses import Press
from cleandesk.worker.sensor import Light, NoLight

if TYPE_CHECKING:
    from cleandesk.worker.header import Button, Lamp

#: Held so long, the button resets the page's PIN and does nothing else.
HOLD_S = 10.0


class Pins:
    """The pins that the settings name; their library is loaded only if they name one.

    Raises:
        PinError: If it is missing, or a pin cannot be had.
    """

    def __init__(self, settings: GpioSettings) -> None:
        self._button: Button | None = None
        self._lamp: Lamp | None = None
        if settings.button is None and settings.light is None:
            return
        try:
            from cleandesk.worker import header  # noqa: PLC0415 - only where a pin is named
        except ImportError as error:
            raise PinError(
                f"gpio: gpiod is not installed; install cleandesk[device], or name no pin: {error}"
            ) from error
        try:
            if settings.button is not None:
                self._button = header.Button(settings.button, HOLD_S)
            if settings.light is not None:
                self._lamp = header.Lamp(settings.light)
        except PinError:
            self.close()
            raise

    @property
    def light(self) -> Light:
        """The light, or what stands for it."""
        return NoLight() if self._lamp is None else self._lamp

    def listen(self, pushed: Callable[[], None], held: Callable[[], None]) -> None:
        """Have a push and a long push told, in a thread of their own.

        Args:
            pushed: The button was let go within `HOLD_S`.
            held: It was held for `HOLD_S`.
        """
        if self._button is not None:
            self._button.listen({Press.SHORT: pushed, Press.LONG: held})

    def close(self) -> None:
        """Put out the light and let go of the pins."""
        for device in (self._button, self._lamp):
            if device is not None:
                device.close()
        self._button = self._lamp = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
