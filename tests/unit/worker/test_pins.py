"""The button and the light, on gpiozero's own stand-in for pins."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from cleandesk.settings_worker import GpioSettings
from cleandesk.worker import pins as module
from cleandesk.worker.pins import PinError, Pins
from tests.eventually import eventually
from tests.unit.worker.make import Process

BUTTON, LIGHT = 17, 27


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    mock = MockFactory()
    monkeypatch.setattr(Device, "pin_factory", mock)
    monkeypatch.setattr(module, "_BOUNCE_S", None)
    yield mock
    mock.close()


def _push(button: Any) -> None:
    button.drive_low()
    button.drive_high()


def test_a_push_begins_a_break_and_the_next_one_ends_it(factory: Any, tmp_path: Path) -> None:
    here = Process(tmp_path)
    with Pins(GpioSettings(button=BUTTON)) as pins:
        pins.listen(here.mode.toggle, here.mode.reset_pin)
        button = factory.pin(BUTTON)
        _push(button)
        eventually(here.rests, "the break")
        _push(button)
        eventually(lambda: not here.rests(), "its end")
    assert here.mode.pin_resets == 0


def test_a_long_push_resets_the_pin_and_does_nothing_else(
    factory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.HOLD_S >= 10
    monkeypatch.setattr(module, "HOLD_S", 0.05)
    here = Process(tmp_path)
    with Pins(GpioSettings(button=BUTTON)) as pins:
        pins.listen(here.mode.toggle, here.mode.reset_pin)
        button = factory.pin(BUTTON)
        button.drive_low()
        eventually(lambda: here.mode.pin_resets == 1, "the reset")
        button.drive_high()
        assert here.mode.present is None
    assert here.notes == ["pin_reset"]


def test_the_light_is_on_while_it_is_told_to_be(factory: Any) -> None:
    with Pins(GpioSettings(light=LIGHT)) as pins:
        lamp = factory.pin(LIGHT)
        assert not lamp.state
        pins.light.on()
        assert lamp.state
        pins.light.off()
        assert not lamp.state


def test_a_light_that_fails_stops_no_break(factory: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert factory is not None
    pins = Pins(GpioSettings(light=LIGHT))
    light = pins.light
    pins.close()
    light.off()
    assert "the light cannot be switched" in caplog.text


def test_a_pin_that_is_taken_is_named_with_a_fix(factory: Any) -> None:
    assert factory is not None
    with Pins(GpioSettings(light=LIGHT)), pytest.raises(PinError, match="pin 27 cannot be had"):
        Pins(GpioSettings(button=LIGHT))


def test_without_a_pin_gpiozero_is_not_even_imported() -> None:
    code = (
        "import sys; from cleandesk.worker.pins import Pins; "
        "from cleandesk.settings_worker import GpioSettings; "
        "pins = Pins(GpioSettings()); pins.light.on(); pins.close(); "
        "sys.exit('gpiozero' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
