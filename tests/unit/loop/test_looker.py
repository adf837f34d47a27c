"""A look is inference, decoding and policy; a frame that shows nothing new costs none of them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cleandesk.camera import Frame
from cleandesk.clock import Instant
from cleandesk.detector import Detector
from cleandesk.loop import Gate, Looker, Preparer, Ready, Seen, Tray, needs_of
from cleandesk.policy import Policy
from cleandesk.settings import PresenceRule, Zone
from cleandesk.vitals import StageTimer

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
RULE = PresenceRule(name="phone", zone="desk", classes=["phone"], dwell_s=4, clear_after_s=4)
ZONES = {"desk": Zone(polygon=[(0, 0), (1, 0), (1, 1), (0, 1)])}


class Desk:
    """A looker that is shown one picture again and again, five times a second."""

    def __init__(self, detector: Detector, *, gated: bool) -> None:
        self.timer = StageTimer()
        policy = Policy(
            [RULE],
            ZONES,
            detector.names,
            threshold_of=detector.manifest.threshold_of,
            new_id=lambda: "0" * 32,
            look_s=0.2,
            boot="a" * 32,
        )
        gate = Gate(needs_of([RULE], 5), 0.2) if gated else None
        self.looker = Looker(detector, policy, gate, self.timer, min_score=policy.floors)
        self._tray: Tray[Ready] = Tray()
        self._preparer = Preparer(detector, self._tray, self.timer, looks_per_s=5)
        self._shown = 0

    def show(self, image: np.ndarray, *, always: bool = False, unwanted: bool = False) -> Seen:
        seconds = self._shown * 0.2
        at = Instant(100 + seconds, START + timedelta(seconds=seconds), synced=True)
        self._shown += 1
        self._preparer.put(Frame(image.copy(), at, self._shown))
        ready = self._tray.take(0)
        assert ready is not None
        return self.looker.look(ready, always=always, unless=lambda: unwanted)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(threads=1)


@pytest.fixture(scope="module")
def desk() -> np.ndarray:
    return np.random.default_rng(2).integers(90, 160, (120, 160, 3), np.uint8)


def test_a_still_scene_is_looked_at_by_the_deadline(detector: Detector, desk: np.ndarray) -> None:
    shown = Desk(detector, gated=True)
    looked = [shown.show(desk).detections is not None for _ in range(60)]
    settled = looked.index(False)
    assert settled <= 12
    assert looked[settled:] == (([False] * 9 + [True]) * 6)[: 60 - settled]
    assert shown.timer.skipped_share() == looked.count(False) / 60
    assert {"infer", "decode", "policy"} <= set(shown.timer.percentiles())


def test_without_a_gate_every_frame_is_looked_at(detector: Detector, desk: np.ndarray) -> None:
    shown = Desk(detector, gated=False)
    assert all(shown.show(desk).detections is not None for _ in range(20))
    assert shown.timer.skipped_share() == 0


def test_what_comes_is_looked_at_at_once(detector: Detector, desk: np.ndarray) -> None:
    shown = Desk(detector, gated=True)
    while shown.show(desk).detections is not None:
        pass
    changed = desk.copy()
    changed[40:60, 60:80] = 20
    assert all(shown.show(changed).detections is not None for _ in range(10))


def test_after_a_fault_the_next_frame_is_looked_at(detector: Detector, desk: np.ndarray) -> None:
    shown = Desk(detector, gated=True)
    while shown.show(desk).detections is not None:
        pass
    shown.looker.forget()
    assert shown.show(desk).detections is not None


def test_none_is_left_out_while_somebody_asks(detector: Detector, desk: np.ndarray) -> None:
    shown = Desk(detector, gated=True)
    while shown.show(desk).detections is not None:
        pass
    assert all(shown.show(desk, always=True).detections is not None for _ in range(20))


def test_what_nobody_wants_any_more_does_not_reach_the_policy(
    detector: Detector, desk: np.ndarray
) -> None:
    shown = Desk(detector, gated=False)
    assert shown.show(desk, unwanted=True) == Seen(None, [])
    assert "policy" not in shown.timer.percentiles()
