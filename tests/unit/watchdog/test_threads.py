"""Real threads of the box, made to hang: each falls silent for longer than it said."""

import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk.camera import Area, CameraError, Capture, Frame
from cleandesk.camera.recovery import Ladder, LadderSettings
from cleandesk.contract.messages import CameraFault
from cleandesk.link import Link, Outbox
from cleandesk.settings import CameraSettings
from cleandesk.watchdog import Heartbeat, Standing, why_not
from tests.eventually import eventually
from tests.mosquitto import free_port
from tests.unit.camera.rigs import ScriptedCamera, Slot
from tests.unit.camera.sources import FakeClock
from tests.unit.link.make import ADDRESS, BOOT, broker_settings, outbox

HOUR_S = 3600.0
CAMERA = CameraSettings(source="/dev/video0")


class Hang:
    """A call that does not come back before the test's end."""

    def __init__(self) -> None:
        self.began, self.over = threading.Event(), threading.Event()

    def __call__(self, *_: object, **__: object) -> None:
        self.began.set()
        self.over.wait()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hang() -> Iterator[Hang]:
    hang = Hang()
    yield hang
    hang.over.set()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    box = outbox(tmp_path / "outbox.db")
    yield box
    box.close()


@pytest.fixture
def link(box: Outbox, clock: FakeClock, hang: Hang) -> Iterator[Link]:
    settings = broker_settings(free_port(), retry_max_s=1)
    made = Link(settings, ADDRESS, box, clock=clock, boot=BOOT, version="1", model="desk")
    yield made
    hang.over.set()
    made.stop()


def _why(clock: FakeClock, *heartbeats: Heartbeat) -> str:
    return why_not(Standing(clock.mono, False, None, heartbeats)) or "well"


def test_a_link_without_a_broker_goes_on(link: Link, clock: FakeClock) -> None:
    link.start()
    for _ in range(3):
        clock.mono += HOUR_S
        eventually(lambda: _why(clock, *link.heartbeats) == "well", "both threads' next word")


def test_a_link_that_hangs_falls_silent(
    link: Link, box: Outbox, clock: FakeClock, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "tick", hang)
    link.start()
    assert hang.began.wait(30)
    clock.mono += 60
    eventually(lambda: _why(clock, *link.heartbeats) == "well")
    clock.mono += 11
    eventually(lambda: "'link'" in _why(clock, *link.heartbeats))


def test_a_name_look_up_that_never_ends_is_noticed(
    link: Link, clock: FakeClock, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    link.start()
    assert hang.began.wait(30)
    clock.mono += 140
    eventually(lambda: _why(clock, *link.heartbeats) == "well", "the link's own word")
    clock.mono += 30
    eventually(lambda: "'mqtt'" in _why(clock, *link.heartbeats))


def test_a_capture_thread_that_hangs_outside_its_driver_falls_silent(
    clock: FakeClock, hang: Hang
) -> None:
    class Stuck(Slot):
        def put(self, frame: Frame) -> None:  # noqa: ARG002 - the sink's
            hang()

    capture = Capture(lambda: ScriptedCamera(clock), Stuck(), CAMERA, clock, area=Area(None))
    capture.start()
    assert hang.began.wait(30)
    assert _why(clock, capture.heartbeat) == "well"
    clock.mono += 45
    assert "'capture'" in _why(clock, capture.heartbeat)
    hang.over.set()
    assert capture.stop(30)
    assert _why(clock, capture.heartbeat) == "well", "it has ended in order"


def test_a_missing_camera_is_tried_for_an_hour_and_no_reason_to_restart(clock: FakeClock) -> None:
    class Missing(ScriptedCamera):
        def open(self) -> None:
            raise CameraError(CameraFault.UNAVAILABLE, "no camera")

    late: list[float] = []
    until = clock.mono + HOUR_S

    def wait(stop: threading.Event, seconds: float) -> bool:
        clock.mono += seconds
        late.append(clock.mono - capture.heartbeat.due)
        return clock.mono > until or stop.is_set()

    ladder = Ladder(LadderSettings(), random.Random(7).random)
    capture = Capture(
        lambda: Missing(clock), Slot(), CAMERA, clock, area=Area(None), ladder=ladder, wait=wait
    )
    capture.start()
    eventually(lambda: clock.mono > until, "the hour")
    assert capture.stop(30)
    assert len(late) > HOUR_S / LadderSettings().max_delay_s
    assert max(late) <= 0
