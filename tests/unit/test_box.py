"""The box at its beginning and its end: what it takes over, what it leaves behind."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.box import EXIT_FAILED, EXIT_OK, Box, Look
from cleandesk.camera import Frame
from cleandesk.clock import Instant, SystemClock, boot_id
from cleandesk.contract.messages import BreakReason
from cleandesk.contract.topics import Address
from cleandesk.link import Outbox
from cleandesk.settings import BoxSettings
from cleandesk.settings_worker import BreakSettings, IdleSettings, WorkerSettings
from cleandesk.vitals import Heat
from cleandesk.worker import keeping
from cleandesk.worker.breaks import Kept
from cleandesk.worker.protocol import EndBreak, GetState, StartBreak, TellIdle
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, free_port, needs_mosquitto
from tests.page_client import PageClient
from tests.unit.link.listener import Listener
from tests.unit.link.make import MAKER, change


def _bare_desk(light: int) -> NDArray[np.uint8]:
    """Return a desk with nothing and nobody at it; in noise the detector may see a person."""
    across = np.linspace(light, light + 120, 160).astype(np.uint8)
    return np.broadcast_to(across[None, :, None], (120, 160, 3)).copy()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), _bare_desk(60 + 10 * number))
    return folder


@pytest.fixture
def still(pictures: Path) -> Path:
    for number in (1, 2):
        (pictures / f"{number}.png").unlink()
    return pictures


@contextlib.contextmanager
def _running(box: Box, *, until_end: bool = False) -> Iterator[list[int]]:
    """Run a box, and stop it whatever a test finds; yield where its exit code will stand."""
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(box.run(until_end=until_end)))
    thread.start()
    try:
        yield codes
    finally:
        box.stop()
        thread.join(20)
    assert codes, "it did not end, or by an error"


def _settings(folder: Path, source: Path, port: int, **camera: object) -> BoxSettings:
    return BoxSettings.model_validate(
        {
            "site": "site",
            "box": "box",
            "camera": {"source": str(source), "realtime": False} | camera,
            "zones": {"desk": {"polygon": [(0, 0), (1, 0), (1, 1)]}},
            "rules": [
                {"kind": "presence", "name": "no-phone", "classes": ["phone"], "zone": "desk"}
            ],
            "broker": {"host": "127.0.0.1", "port": port, "retry_min_s": 0.1},
            "outbox": {"path": str(folder / "outbox.db")},
            "health_every_s": 1,
        }
    )


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


def _leave_open(settings: BoxSettings, state: bytes) -> str:
    """Have an earlier process leave an open violation and some saved state."""
    left = change()
    outbox = Outbox(
        settings.outbox, Address(settings.site, settings.box), boot=boot_id(), clock=SystemClock()
    )
    outbox.commit([left], state, make=MAKER)
    outbox.close()
    keeping.write(keeping.path_of(settings.outbox.path), Kept())
    return left.violation_id


def _events(settings: BoxSettings) -> list[dict[str, object]]:
    outbox = Outbox(
        settings.outbox, Address(settings.site, settings.box), boot=boot_id(), clock=SystemClock()
    )
    try:
        return [json.loads(one.payload) for one in outbox.pending()]
    finally:
        outbox.close()


@pytest.mark.parametrize("state", [b'{"version": 99}', b"not json"])
def test_what_an_unreadable_state_leaves_open_is_closed_at_once(
    tmp_path: Path, pictures: Path, state: bytes
) -> None:
    settings = _settings(tmp_path, pictures, free_port())
    left = _leave_open(settings, state)
    box = Box(settings, base=tmp_path)
    box.stop()
    assert box.run() == EXIT_OK
    opened, closed = _events(settings)
    assert (closed["violation_id"], closed["phase"], closed["reason"]) == (left, "close", "restart")
    assert opened["phase"] == "open"


def test_stopping_does_not_wait_for_a_broker_that_is_away(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(tmp_path, pictures, free_port())
    _leave_open(settings, b"not json")
    box = Box(settings, base=tmp_path)
    waits, wait_drained = threading.Event(), box._link.wait_drained

    def waiting(timeout_s: float, *, unless: threading.Event | None = None) -> bool:
        waits.set()
        return wait_drained(timeout_s, unless=unless)

    monkeypatch.setattr(box._link, "wait_drained", waiting)
    with _running(box, until_end=True) as codes:
        assert waits.wait(60), "it saw the recording's end"
        time.sleep(2)
        assert not codes, "it waits for the subscriber's answers"
    assert codes == [EXIT_FAILED]


@needs_mosquitto
def test_a_box_that_is_stopped_says_that_its_sensor_is_off(
    tmp_path: Path, pictures: Path, broker: Mosquitto
) -> None:
    seen = threading.Event()
    settings = _settings(tmp_path, pictures, broker.port, repeat=True)
    box = Box(settings, base=tmp_path, observer=lambda _: seen.set())
    with Listener(broker.port) as listener:
        with _running(box):
            assert seen.wait(20)
            eventually(lambda: listener.of("privacy"))
            assert listener.last("privacy")["state"] == "working"
        eventually(lambda: listener.last("status")["state"] == "stopped")
        assert listener.last("privacy")["state"] == "off"


@needs_mosquitto
def test_a_box_that_crashes_is_offline_and_not_stopped(
    tmp_path: Path, pictures: Path, broker: Mosquitto
) -> None:
    settings = _settings(tmp_path, pictures, broker.port, repeat=True)
    online = threading.Event()

    def crash(look: Look) -> None:
        if look.connected:
            online.set()
            raise RuntimeError("out of memory, say")

    box = Box(settings, base=tmp_path, observer=crash)
    with Listener(broker.port) as listener:
        with pytest.raises(RuntimeError, match="out of memory"):
            box.run()
        assert online.is_set()
        eventually(lambda: listener.last("status")["state"] == "offline")


@needs_mosquitto
@pytest.mark.parametrize("gate", ["on", "off"])
def test_health_says_how_many_frames_of_a_still_desk_needed_no_look(
    tmp_path: Path, still: Path, broker: Mosquitto, gate: str
) -> None:
    settings = _settings(tmp_path, still, broker.port, repeat=True)
    box = Box(settings.model_copy(update={"gate": gate}), base=tmp_path)
    with Listener(broker.port) as listener, _running(box):
        eventually(lambda: listener.of("health") and listener.last("health")["camera"]["fps"] > 0)
        if gate == "on":
            eventually(lambda: listener.last("health")["gate"]["skipped_share"] > 0.5)
        assert ("gate" in listener.last("health")) is (gate == "on")


@needs_mosquitto
def test_a_hot_box_looks_as_rarely_as_its_rules_allow_and_says_so(
    tmp_path: Path, still: Path, broker: Mosquitto
) -> None:
    settings = _settings(tmp_path, still, broker.port, repeat=True, realtime=True)
    box = Box(settings, base=tmp_path, heat=lambda: Heat(78.5, throttled=False))
    with Listener(broker.port) as listener, _running(box):
        eventually(lambda: listener.of("health"))
        eventually(lambda: listener.last("health")["governor"]["state"] == "warm")
        health = listener.last("health")
        assert (health["looks_per_s_target"], health["temperature_c"]) == (1.25, 78.5)


@needs_mosquitto
def test_a_recordings_own_time_knows_no_heat(
    tmp_path: Path, still: Path, broker: Mosquitto
) -> None:
    settings = _settings(tmp_path, still, broker.port, repeat=True)
    read = threading.Event()

    def heat() -> Heat:
        read.set()
        return Heat(90.0, throttled=True)

    box = Box(settings, base=tmp_path, heat=heat)
    with Listener(broker.port) as listener, _running(box):
        eventually(lambda: len(listener.of("health")) > 7)
        assert read.is_set()
        assert listener.last("health")["governor"]["state"] == "full"
        assert listener.last("health")["looks_per_s_target"] == 5


class Counted:
    """A camera whose reads are counted at the source."""

    name, live, frozen_after_s = "counted", True, None

    def __init__(self) -> None:
        self.reads = 0
        self.open_now = False

    def open(self) -> None:
        self.open_now = True

    def read(self, timeout_s: float) -> Frame:
        assert timeout_s > 0
        self.reads += 1
        return Frame(_bare_desk(60 + self.reads % 10), SystemClock().now(), self.reads)

    def close(self) -> None:
        self.open_now = False


@needs_mosquitto
def test_in_a_break_no_frame_is_acquired_and_the_camera_is_closed(
    tmp_path: Path, pictures: Path, broker: Mosquitto
) -> None:
    settings = _settings(tmp_path, pictures, broker.port, realtime=True)
    camera = Counted()
    box = Box(settings, base=tmp_path, camera=lambda: camera)
    with Listener(broker.port) as listener, _running(box):
        eventually(lambda: camera.reads > 10)
        with PageClient(tmp_path / "page.sock") as page:
            assert not page.state(StartBreak(reason=BreakReason.VISITOR)).sensing
            reads = camera.reads
            assert not camera.open_now
            told = len(listener.of("health"))
            eventually(lambda: len(listener.of("health")) > told + 3)
            assert listener.last("privacy")["state"] == "break"
            assert camera.reads == reads
            page.state(EndBreak())
            eventually(lambda: camera.reads > reads + 10)
        eventually(lambda: listener.last("privacy")["state"] == "working")
    assert not camera.open_now


class Ahead(SystemClock):
    """The machine's clock, and some seconds more."""

    seconds = 0.0

    def now(self) -> Instant:
        now = super().now()
        return Instant(now.mono + self.seconds, now.utc + timedelta(seconds=self.seconds), True)


@needs_mosquitto
def test_a_break_that_becomes_too_long_is_told_again_and_goes_on(
    tmp_path: Path, pictures: Path, broker: Mosquitto
) -> None:
    limits = {"breaks": BreakSettings(length_s=600)}
    settings = _settings(tmp_path, pictures, broker.port, realtime=True, repeat=True)
    clock = Ahead()
    box = Box(settings.model_copy(update=limits), base=tmp_path, clock=clock)
    with Listener(broker.port) as listener:
        with _running(box):
            eventually((tmp_path / "page.sock").is_socket)
            with PageClient(tmp_path / "page.sock") as page:
                page.state(StartBreak(reason=BreakReason.VISITOR))
                eventually(lambda: listener.last("privacy").get("state") == "break")
                assert "beyond" not in listener.last("privacy")
                clock.seconds = 601
                eventually(lambda: listener.last("privacy").get("beyond") == ["length"])
                assert not page.state(GetState()).sensing
        assert listener.last("privacy")["state"] == "break", "it outlives the process"


@needs_mosquitto
def test_nobody_at_the_desk_and_no_input_is_idle_until_a_break(
    tmp_path: Path, still: Path, broker: Mosquitto
) -> None:
    asked = {
        "worker": WorkerSettings(zone="desk", absent_after_s=30),
        "idle": IdleSettings(enabled=True, after_s=600),
    }
    settings = _settings(tmp_path, still, broker.port, repeat=True)
    box = Box(settings.model_copy(update=asked), base=tmp_path)
    with Listener(broker.port) as listener, _running(box):
        eventually(lambda: listener.last("privacy").get("state") == "absent")
        assert listener.of("idle") == []
        with PageClient(tmp_path / "page.sock") as page:
            page.ask(TellIdle(input_age_s=700))
            eventually(lambda: listener.last("idle").get("idle") is True)
            assert page.state(GetState()).idle
            page.state(StartBreak(reason=BreakReason.WATER))
            eventually(lambda: listener.last("idle").get("idle") is False)
