"""The aiming view: started by hand, small, over by itself, and nothing is kept of it."""

import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from cleandesk.worker.aiming import LASTS_S, PAUSE_S, STALE_S, Aiming
from tests.unit.worker.make import SetClock

PICTURE = np.full((720, 1280, 3), 90, np.uint8)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here is about a first picture that does not come."""
    monkeypatch.setattr("cleandesk.worker.aiming._FIRST_S", 60)


class View:
    def __init__(self) -> None:
        self.clock = SetClock()
        self.notes: list[str] = []
        self.aiming = Aiming(self.clock, lambda what, _text: self.notes.append(what))

    def picture(self) -> bytes | None:
        """Ask for a picture while the camera delivers one."""
        shown: list[bytes | None] = []

        def ask() -> None:
            found = self.aiming.picture()
            shown.append(found[0] if found else None)

        thread = threading.Thread(target=ask)
        thread.start()
        while thread.is_alive():
            self.clock.move(0.3)
            self.aiming.offer(PICTURE)
            thread.join(0.01)
        return shown[0]


def _size(jpeg: bytes) -> tuple[int, ...]:
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return tuple(decoded.shape)


def test_a_view_that_was_not_started_keeps_nothing() -> None:
    view = View()
    view.aiming.offer(PICTURE)
    assert view.aiming._small is None
    assert (view.aiming.until, view.notes) == (None, [])


def test_the_first_picture_starts_the_view_which_the_ledger_says_once() -> None:
    view = View()
    for _ in range(2):
        jpeg = view.picture()
        assert jpeg is not None
        assert _size(jpeg) == (360, 640, 3)
    assert view.notes == ["aiming_view"]
    assert view.aiming.until is not None


def _over(view: View, end: Callable[[], None]) -> None:
    assert view.picture() is not None
    end()
    assert (view.aiming.until, view.aiming._small) == (None, None)


def test_it_ends_by_itself_and_asking_on_does_not_start_it_again() -> None:
    view = View()

    def wait() -> None:
        view.clock.move(LASTS_S + 1)
        view.aiming.step(view.clock.now())

    _over(view, wait)
    for _ in range(20):
        view.clock.move(PAUSE_S / 2)
        assert view.aiming.picture() is None
    view.clock.move(PAUSE_S)
    assert view.picture() is not None
    assert view.notes == ["aiming_view"] * 2


def test_it_can_be_ended_by_hand_and_started_again() -> None:
    view = View()
    _over(view, view.aiming.stop)
    assert view.picture() is not None


def test_pictures_are_taken_a_few_times_a_second_at_most() -> None:
    view = View()
    view.picture()
    before = view.aiming._small
    view.aiming.offer(PICTURE)
    view.clock.move(0.1)
    view.aiming.offer(PICTURE)
    assert view.aiming._small is before


def test_a_camera_that_stalls_shows_no_old_picture_and_one_that_goes_on_a_new_one() -> None:
    view = View()
    assert view.picture() is not None
    view.clock.move(STALE_S)
    assert view.aiming.picture() is not None
    view.clock.move(0.1)
    assert view.aiming.picture() is None
    assert view.aiming.until is not None, "the view is on: there is no picture"
    view.aiming.offer(PICTURE)
    assert view.aiming.picture() is not None


def test_a_camera_that_is_looked_at_rarely_has_not_stalled() -> None:
    view = View()
    view.aiming = Aiming(view.clock, lambda *_: None, period_s=10)
    assert view.picture() is not None
    view.clock.move(15)
    assert view.aiming.picture() is not None
