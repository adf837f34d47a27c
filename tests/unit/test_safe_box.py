"""A box in safe mode: what its worker can do without the page."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cleandesk.safe_box import SafeBox
from cleandesk.settings import BoxSettings
from cleandesk.settings_worker import GpioSettings
from cleandesk.watchdog import Feeder, Standing
from cleandesk.worker import keeping
from cleandesk.worker.pins import Pins
from tests.eventually import eventually
from tests.header import Header, a_header
from tests.mosquitto import free_port

BUTTON, LIGHT = 17, 27


@pytest.fixture
def header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Header]:
    with a_header(tmp_path, monkeypatch) as made:
        yield made


def settings(home: Path) -> BoxSettings:
    return BoxSettings.model_validate(
        {
            "site": "s1",
            "box": "b1",
            "camera": {"source": "/dev/video0"},
            "zones": {"desk": {"polygon": [[0, 0], [1, 0], [1, 1]]}},
            "rules": [{"kind": "presence", "name": "r", "classes": ["phone"], "zone": "desk"}],
            "broker": {"host": "localhost", "port": free_port()},
            "outbox": {"path": home / "outbox.db"},
            "page": {"enabled": False},
            "gpio": {"button": BUTTON, "light": LIGHT},
        }
    )


class Turns(Feeder):
    """Tells that the box's loop turns: by then it listens to everything."""

    def __init__(self) -> None:
        super().__init__()
        self.began = threading.Event()

    def turn(self, now: float, standing: Callable[[], Standing]) -> None:
        super().turn(now, standing)
        self.began.set()


@contextmanager
def running(made: BoxSettings) -> Iterator[None]:
    """Run a box in safe mode; it has let go of everything when the block is left."""
    turns, codes = Turns(), list[int]()
    box = SafeBox(made, "3 starts in a row crashed", feeder=turns)
    thread = threading.Thread(target=lambda: codes.append(box.run()))
    thread.start()
    try:
        assert turns.began.wait(30)
        yield
    finally:
        box.stop()
        thread.join(30)
    assert codes == [0]


def rests(made: BoxSettings) -> bool:
    kept = keeping.read(keeping.path_of(made.outbox.path))
    return kept is not None and kept.present is not None


def test_the_button_begins_a_break_that_outlives_safe_mode(header: Header, tmp_path: Path) -> None:
    made = settings(tmp_path)
    with running(made):
        header.line(BUTTON).press()
        eventually(lambda: rests(made), "the break")
        assert not header.line(LIGHT).lit
    assert rests(made)
    with running(made):
        header.line(BUTTON).press()
        eventually(lambda: not rests(made), "its end")


def test_a_pin_that_cannot_be_had_keeps_no_box_off_the_line(
    header: Header, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert header.chips
    made = settings(tmp_path)
    with Pins(GpioSettings(button=BUTTON)), running(made):
        assert "the button does nothing" in caplog.text
