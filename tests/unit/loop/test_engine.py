"""Two threads find what one finds, and skip the same frames; an error ends both."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.camera import Area, Frame
from cleandesk.clock import Instant
from cleandesk.detector import Detector
from cleandesk.loop import Engine, Gate, Looker, Preparer, Ready, Seen, Tray, needs_of
from cleandesk.policy import Policy
from cleandesk.settings import PresenceRule, Zone
from cleandesk.vitals import StageTimer

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
RULE = PresenceRule(name="all", zone="desk", classes=["phone"], dwell_s=1, clear_after_s=2)
ZONES = {"desk": Zone(polygon=[(0, 0), (1, 0), (1, 1), (0, 1)])}
NEVER = threading.Event()
FRAMES = 90


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(threads=1)


def frames() -> Iterator[Frame]:
    """A noisy desk on which dark things turn up and vanish."""
    random = np.random.default_rng(9)
    desk = random.integers(90, 160, (120, 160, 3)).astype(np.int16)
    for number in range(FRAMES):
        image = desk.copy()
        if number // 20 % 2:
            image[30:90, 40 + number // 20 :] -= 60
        image += random.normal(0, 1.5, image.shape).astype(np.int16)
        seconds = number * 0.2
        at = Instant(100 + seconds, START + timedelta(seconds=seconds), synced=True)
        yield Frame(np.clip(image, 0, 255).astype(np.uint8), at, number)


class Rig:
    def __init__(self, detector: Detector) -> None:
        self.timer, self.tray = StageTimer(), Tray[Ready]()
        policy = Policy(
            [RULE],
            ZONES,
            detector.names,
            threshold_of=detector.manifest.threshold_of,
            new_id=lambda: "0" * 32,
            look_s=0.2,
            boot="a" * 32,
        )
        gate = Gate(needs_of([RULE], 5), 0.2)
        self.looker = Looker(detector, policy, gate, self.timer, min_score=0.02)
        self.preparer = Preparer(Area(None), detector, self.tray, self.timer, looks_per_s=5)
        self.engine = Engine(self.tray, self.looker)

    def one_thread(self) -> list[Seen]:
        found = []
        for frame in frames():
            self.preparer.put(frame)
            ready = self.tray.take(0)
            assert ready is not None
            found.append(self.looker.look(ready))
        return found

    def two_threads(self) -> list[Seen]:
        def play() -> None:
            for frame in frames():
                self.preparer.put_wait(frame, unless=NEVER)

        camera = threading.Thread(target=play)
        self.engine.start()
        camera.start()
        found = []
        while camera.is_alive() or not self.engine.idle:
            glance = self.engine.take(0.05)
            if glance is not None:
                found.append(self.looker.judge(glance))
        self.engine.stop()
        return found


def told(seen: Seen) -> tuple[int, list[list[float]] | None]:
    found = seen.detections
    return seen.ready.number, None if found is None else found.boxes.tolist()


def test_two_threads_see_what_one_sees_and_leave_out_the_same(detector: Detector) -> None:
    one = [told(seen) for seen in Rig(detector).one_thread()]
    two = [told(seen) for seen in Rig(detector).two_threads()]
    assert two == one
    assert [number for number, _ in one] == list(range(FRAMES))
    assert any(boxes is None for _, boxes in one)
    assert sum(bool(boxes) for _, boxes in one) > 3


def test_an_error_in_the_model_is_raised_where_the_glances_are_taken(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> NDArray[np.float32]:
        raise RuntimeError("out of memory, say")

    rig = Rig(detector)
    monkeypatch.setattr(detector, "infer", fail)
    rig.engine.start()
    rig.preparer.put(next(frames()))
    with pytest.raises(RuntimeError, match="out of memory"):
        rig.engine.take(20)
    rig.engine.stop()


def test_it_stops_although_nobody_judges(detector: Detector) -> None:
    rig = Rig(detector)
    rig.engine.start()

    def play() -> None:
        for frame in frames():
            rig.preparer.put(frame)

    player = threading.Thread(target=play, daemon=True)
    player.start()
    player.join(60)
    rig.engine.stop()
    assert not rig.engine.idle


def test_an_engine_that_was_never_started_can_be_stopped(detector: Detector) -> None:
    rig = Rig(detector)
    rig.engine.stop()
    assert rig.engine.take(0) is None
    assert rig.engine.idle
