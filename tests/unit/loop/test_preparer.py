"""Frames that are due become ready: the part of them that may be looked at."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cleandesk.camera import Area, Frame
from cleandesk.clock import Instant
from cleandesk.detector import Detector
from cleandesk.loop import Preparer, Ready, Tray
from cleandesk.settings import Zone
from cleandesk.vitals import StageTimer

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
LEFT = Zone(polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
NEVER = threading.Event()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(threads=1)


def frame(seconds: float, level: int = 90, number: int = 1) -> Frame:
    image = np.full((90, 160, 3), level, np.uint8)
    at = Instant(100 + seconds, START + timedelta(seconds=seconds), synced=True)
    return Frame(image, at, number)


class Made:
    def __init__(self, detector: Detector) -> None:
        self.tray: Tray[Ready] = Tray()
        self.timer = StageTimer()
        self.preparer = Preparer(detector, self.tray, self.timer, looks_per_s=5)

    def ready(self) -> float | None:
        """Take what is ready; returns its second."""
        ready = self.tray.take(0)
        return None if ready is None else round(ready.at.mono - 100, 3)


def test_of_a_cameras_frames_those_are_ready_that_are_due(detector: Detector) -> None:
    made = Made(detector)
    found = []
    for number in range(16):
        made.preparer.put(frame(number / 15))
        if (second := made.ready()) is not None:
            found.append(second)
    assert found == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert made.preparer.dropped == 0
    assert set(made.timer.percentiles()) == {"prepare"}


class Uncopied(np.ndarray[Any, np.dtype[np.uint8]]):
    """A picture that may not be copied."""

    def copy(self, order: Any = "C") -> Any:  # noqa: ARG002 - numpy's signature
        raise AssertionError("it was copied")


@pytest.mark.parametrize("wanted", [None, lambda: False])
def test_no_picture_is_copied_unless_a_still_is_wanted(detector: Detector, wanted: Any) -> None:
    tray: Tray[Ready] = Tray()
    preparer = Preparer(detector, tray, StageTimer(), looks_per_s=5, wanted=wanted)
    one = frame(0)
    preparer.put(Frame(one.image.view(Uncopied), one.at, 1))
    ready = tray.take(0)
    assert ready is not None
    assert ready.picture is None


def test_a_wanted_picture_is_a_copy_of_its_own_frame(detector: Detector) -> None:
    tray: Tray[Ready] = Tray()
    preparer = Preparer(detector, tray, StageTimer(), looks_per_s=5, wanted=lambda: True)
    one = frame(0, level=70)
    preparer.put(one)
    one.image[:] = 0  # as a driver does with the next one
    ready = tray.take(0)
    assert ready is not None
    assert ready.picture is not None
    assert (ready.picture == 70).all()
    assert ready.picture.shape[:2] == ready.size[::-1]


def test_while_the_loop_is_late_the_newest_frame_is_ready(detector: Detector) -> None:
    made = Made(detector)
    for number in range(6):
        made.preparer.put(frame(number / 15, number=number))
    assert made.ready() == round(5 / 15, 3)
    assert made.preparer.dropped == 5


def test_the_rate_can_be_changed_at_any_time(detector: Detector) -> None:
    made = Made(detector)
    made.preparer.looks_per_s = 1
    found = []
    for number in range(13):
        made.preparer.put(frame(number / 4))
        if (second := made.ready()) is not None:
            found.append(second)
    assert found == [0, 1, 2, 3]


def test_of_a_recording_every_frame_that_is_due_is_ready_in_order(detector: Detector) -> None:
    made = Made(detector)
    found = []

    def play() -> None:
        for number in range(20):
            made.preparer.put_wait(frame(number / 10, number=number), unless=NEVER)

    player = threading.Thread(target=play)
    player.start()
    while player.is_alive() or made.tray.waiting:
        ready = made.tray.take(0.05)
        if ready is not None:
            found.append(ready.number)
    assert found == list(range(0, 20, 2))
    assert made.preparer.dropped == 0


def test_a_recording_that_is_stopped_does_not_wait(detector: Detector) -> None:
    made = Made(detector)
    stop = threading.Event()
    assert made.preparer.put_wait(frame(0), unless=stop)
    player = threading.Thread(
        target=made.preparer.put_wait, args=(frame(1),), kwargs={"unless": stop}
    )
    player.start()
    stop.set()
    made.preparer.clear()
    player.join(20)
    assert not player.is_alive()
    assert made.ready() is None


def test_of_a_frame_only_the_part_that_may_be_looked_at_becomes_input(detector: Detector) -> None:
    made = Made(detector)
    shown = frame(0, level=10)
    shown.image[:, 100:] = 255
    made.preparer.put(Area(LEFT).blank(shown))
    ready = made.tray.take(0)
    assert ready is not None
    assert ready.size == (160, 90)
    assert ready.origin == (0, 0)
    assert ready.prepared.fit.size[0] < 100
    assert ready.prepared.small.max() <= 10
    assert ready.plane is not None
    assert ready.plane.max() <= 10


def test_without_a_gate_no_plane_is_made(detector: Detector) -> None:
    tray: Tray[Ready] = Tray()
    preparer = Preparer(detector, tray, StageTimer(), looks_per_s=5, gated=False)
    preparer.put(frame(0))
    ready = tray.take(0)
    assert ready is not None
    assert ready.plane is None


def test_a_frame_that_is_ready_is_what_the_detector_makes_of_it(detector: Detector) -> None:
    random = np.random.default_rng(6)
    image = random.integers(0, 256, (90, 160, 3), np.uint8)
    made = Made(detector)
    for level in (40, 200):  # what was there before leaves nothing behind
        made.preparer.put(frame(0, level=level))
    at = Instant(100.0, START, synced=True)
    made.preparer.put(Frame(image.copy(), at, 1))
    ready = made.tray.take(0)
    assert ready is not None
    found = detector.read(detector.infer(ready.prepared), ready.prepared, min_score=0.05)
    expected = detector.detect(image, min_score=0.05)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.boxes, expected.boxes)
