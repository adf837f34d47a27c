"""The button and the light, on a stand-in for the kernel's pins."""

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiod.line import Bias, Edge

from cleandesk.settings_worker import GpioSettings
from cleandesk.worker import header as module
from cleandesk.worker.errors import PinError
from cleandesk.worker.pins import HOLD_S, Pins
from tests.eventually import eventually
from tests.header import Header, a_header
from tests.unit.worker.make import Process

BUTTON, LIGHT = 17, 27


@pytest.fixture
def header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Header]:
    with a_header(tmp_path, monkeypatch) as made:
        yield made


def test_a_push_begins_a_break_and_the_next_one_ends_it(header: Header, tmp_path: Path) -> None:
    here = Process(tmp_path)
    with Pins(GpioSettings(button=BUTTON)) as pins:
        pins.listen(here.mode.toggle, here.mode.reset_pin)
        button = header.line(BUTTON)
        button.press()
        eventually(here.rests, "the break")
        button.press()
        eventually(lambda: not here.rests(), "its end")
    assert here.mode.pin_resets == 0


def test_a_long_push_resets_the_pin_and_does_nothing_else(header: Header, tmp_path: Path) -> None:
    assert HOLD_S >= 10
    here = Process(tmp_path)
    with Pins(GpioSettings(button=BUTTON)) as pins:
        pins.listen(here.mode.toggle, here.mode.reset_pin)
        header.line(BUTTON).press(for_s=HOLD_S)
        eventually(lambda: here.mode.pin_resets == 1, "the reset")
        assert here.mode.present is None
    assert here.notes == ["pin_reset"]


def test_who_holds_the_button_need_not_let_go_of_it(
    header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleandesk.worker.pins.HOLD_S", 0.05)
    told: list[str] = []
    with Pins(GpioSettings(button=BUTTON)) as pins:
        pins.listen(lambda: told.append("pushed"), lambda: told.append("held"))
        header.line(BUTTON).move(down=True)
        eventually(lambda: told, "the long push")
        header.line(BUTTON).move(down=False)
        header.line(BUTTON).press()
        eventually(lambda: len(told) > 1, "the next push")
    assert told == ["held", "pushed"]


def test_a_push_that_is_not_done_keeps_no_other_from_it(header: Header) -> None:
    told: list[int] = []

    def fails_once() -> None:
        told.append(1)
        if len(told) == 1:
            raise OSError(errno.ENOSPC, "no room")

    with Pins(GpioSettings(button=BUTTON)) as pins:
        pins.listen(fails_once, fails_once)
        for number in (1, 2):
            header.line(BUTTON).press()
            eventually(lambda: len(told) == number, "a push")  # noqa: B023 - at once


def test_the_kernel_is_asked_for_a_switch_to_ground_without_its_bounces(header: Header) -> None:
    with Pins(GpioSettings(button=BUTTON)):
        settings = header.line(BUTTON).settings
    assert settings is not None
    assert (settings.bias, settings.edge_detection) == (Bias.PULL_UP, Edge.BOTH)
    assert settings.active_low
    assert settings.debounce_period.total_seconds() == 0.05


def test_the_light_is_on_while_it_is_told_to_be(header: Header) -> None:
    with Pins(GpioSettings(light=LIGHT)) as pins:
        seen = [header.line(LIGHT).lit]
        for switch in (pins.light.on, pins.light.off, pins.light.on):
            switch()
            seen.append(header.line(LIGHT).lit)
    assert seen == [False, True, False, True]
    assert not header.line(LIGHT).lit, "a box that ends does not look"


def test_a_light_that_fails_stops_no_break(
    header: Header, caplog: pytest.LogCaptureFixture
) -> None:
    assert header.chips
    pins = Pins(GpioSettings(light=LIGHT))
    light = pins.light
    pins.close()
    light.off()
    assert "the light cannot be switched" in caplog.text


def test_a_pin_that_is_taken_is_named_with_a_fix(header: Header) -> None:
    with Pins(GpioSettings(light=LIGHT)):
        with pytest.raises(PinError, match="pin 27 cannot be had"):
            Pins(GpioSettings(button=BUTTON, light=LIGHT))
        assert header.line(BUTTON).settings is None, "what it had is given back"


@pytest.mark.parametrize("label", sorted(module.LABELS))
def test_each_raspberry_pi_has_a_header_wherever_it_stands(header: Header, label: str) -> None:
    header.chips = {"gpiochip2": label}
    with Pins(GpioSettings(light=LIGHT)) as pins:
        pins.light.on()
        assert header.line(LIGHT).lit


def test_another_computer_says_what_it_has(header: Header) -> None:
    header.chips = {"gpiochip1": "INT34C5:00"}
    with pytest.raises(PinError, match=r"gpiochip0: Permission denied, .*gpiochip1: INT34C5:00"):
        Pins(GpioSettings(button=BUTTON))


def test_without_a_pin_their_library_is_not_even_imported() -> None:
    code = (
        "import sys; from cleandesk.worker.pins import Pins; "
        "from cleandesk.settings_worker import GpioSettings; "
        "pins = Pins(GpioSettings()); pins.light.on(); pins.close(); "
        "sys.exit('gpiod' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
