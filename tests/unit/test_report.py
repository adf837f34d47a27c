"""`privacy` tells whether the box looks: nothing before it does, a fault, and off at the end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cleandesk import report, vitals
from cleandesk.camera import CaptureState
from cleandesk.clock import Instant
from cleandesk.contract.health import GateHealth, GovernorHealth, GovernorState, OutboxHealth
from cleandesk.contract.messages import CameraFault, Privacy, PrivacyState
from cleandesk.loop import Governor

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
GOOD = CaptureState(frames=3)


def _at(seconds: float) -> Instant:
    return Instant(1000 + seconds, START + timedelta(seconds=seconds), synced=True)


def _faulty(seconds: float) -> CaptureState:
    return replace(GOOD, fault=CameraFault.BLACK, detail="dark", since=_at(seconds))


def test_nothing_is_claimed_before_the_first_frame() -> None:
    assert report.Watching().privacy(GOOD, _at(1)) is None


def test_working_counts_from_the_first_frame() -> None:
    watching = report.Watching()
    assert watching.saw(_at(2))
    assert not watching.saw(_at(3))
    privacy = watching.privacy(GOOD, _at(9))
    assert privacy is not None
    assert (privacy.state, privacy.since) == (PrivacyState.WORKING, _at(2).utc)


def test_after_a_fault_working_counts_anew() -> None:
    watching = report.Watching()
    watching.saw(_at(2))
    fault = watching.privacy(_faulty(5), _at(6))
    assert fault is not None
    assert (fault.state, fault.reason, fault.since) == (PrivacyState.FAULT, "black", _at(5).utc)
    assert watching.privacy(GOOD, _at(7)) is None
    assert watching.saw(_at(8))
    back = watching.privacy(GOOD, _at(9))
    assert back is not None
    assert back.since == _at(8).utc


def test_at_the_end_the_sensor_is_off_unless_it_was_at_fault() -> None:
    watching = report.Watching()
    watching.saw(_at(2))
    assert watching.off(GOOD, _at(9)).state is PrivacyState.OFF
    assert watching.off(_faulty(5), _at(9)).state is PrivacyState.FAULT


REST = Privacy(state=PrivacyState.BREAK, reason="rest", since=START)


def test_a_break_goes_before_a_fault_and_outlives_the_process() -> None:
    watching = report.Watching()
    watching.saw(_at(2))
    assert watching.privacy(_faulty(5), _at(6), rest=REST) == REST
    assert watching.off(GOOD, _at(9), rest=REST) == REST


def test_working_counts_from_the_end_of_a_break_though_no_frame_came_yet() -> None:
    watching = report.Watching()
    watching.privacy(GOOD, _at(1), rest=REST)
    watching.resumed(_at(7))
    privacy = watching.privacy(GOOD, _at(7))
    assert privacy is not None
    assert (privacy.state, privacy.since) == (PrivacyState.WORKING, _at(7).utc)


def test_absent_counts_from_when_the_worker_was_last_seen() -> None:
    watching = report.Watching()
    assert watching.privacy(GOOD, _at(1), absent_since=_at(0)) is None
    watching.saw(_at(2))
    privacy = watching.privacy(GOOD, _at(400), absent_since=_at(30))
    assert privacy is not None
    assert (privacy.state, privacy.since) == (PrivacyState.ABSENT, _at(30).utc)
    fault = watching.privacy(_faulty(401), _at(402), absent_since=_at(30))
    assert fault is not None
    assert fault.state is PrivacyState.FAULT


def test_health_counts_from_the_power_on_and_not_from_the_process() -> None:
    outbox = OutboxHealth(epoch="a" * 32, next_seq=1, depth=0, bytes=0, lost=0)
    health = report.health(
        _faulty(5),
        vitals.StageTimer(),
        outbox,
        report.Pace(Governor(5, 1, _at(0)), gated=False),
        heat=vitals.Heat(None, None),
        now=_at(0),
        boot="b" * 32,
        scheduled_rules_active=True,
    )
    assert health.uptime_s == 1000
    assert (health.camera.fault, health.camera.fault_detail) == (CameraFault.BLACK, "dark")


def test_health_says_how_often_the_box_looks_and_why() -> None:
    outbox = OutboxHealth(epoch="a" * 32, next_seq=1, depth=0, bytes=0, lost=0)
    governor, timer = Governor(5, 1, _at(0)), vitals.StageTimer()
    governor.step(vitals.Heat(81.5, throttled=True), _at(10))
    timer.looked()
    for _ in range(3):
        timer.skipped()
    health = report.health(
        GOOD,
        timer,
        outbox,
        report.Pace(governor, gated=True),
        heat=vitals.Heat(81.5, throttled=True),
        now=_at(11),
        boot="b" * 32,
        scheduled_rules_active=True,
    )
    assert health.looks_per_s_target == 1
    assert health.governor == GovernorHealth(state=GovernorState.THROTTLED, since=_at(10).utc)
    assert health.gate == GateHealth(skipped_share=0.75)
    assert (health.temperature_c, health.throttled) == (81.5, True)
