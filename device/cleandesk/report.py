"""What the box says of itself: `health`, `privacy`, and to the watchdog whether it may go on."""

from dataclasses import dataclass

from cleandesk import vitals
from cleandesk.assembly import Parts
from cleandesk.camera import CaptureState
from cleandesk.clock import Instant
from cleandesk.contract.health import (
    CameraHealth,
    GateHealth,
    GovernorHealth,
    Health,
    OutboxHealth,
    RequestsHealth,
)
from cleandesk.contract.messages import Privacy, PrivacyState
from cleandesk.loop import Governor
from cleandesk.watchdog import Sensing, Standing

_MOST_DETAIL = 200  # characters, as the contract allows


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the box looks.

    Attributes:
        governor: Says how often a frame is due.
        gated: Whether frames of a still scene are left out.
    """

    governor: Governor
    gated: bool


def health(  # noqa: PLR0913 - all but four are keywords
    state: CaptureState,
    timer: vitals.StageTimer,
    outbox: OutboxHealth,
    pace: Pace,
    *,
    heat: vitals.Heat,
    now: Instant,
    boot: str,
    scheduled_rules_active: bool,
    requests: RequestsHealth | None = None,
) -> Health:
    """Return how camera, frame loop, outbox and machine do.

    Args:
        state: The capture thread's own account.
        timer: The frame loop's times.
        outbox: What waits to be delivered.
        pace: How often it looks.
        heat: The processor's, at present.
        now: The present moment.
        boot: Id of the power-on that `now.mono` counts from.
        scheduled_rules_active: Whether rules with hours can be trusted to keep them.
        requests: What became of those.
    """
    fault = state.fault
    return Health(
        at=now.utc,
        boot=boot,
        uptime_s=round(now.mono, 1),
        clock_synced=now.synced,
        scheduled_rules_active=scheduled_rules_active,
        camera=CameraHealth(
            fps=round(timer.looks_per_s(), 2),
            frames=state.frames,
            dropped=state.dropped,
            frame_age_s=state.frame_age_s,
            fault=fault,
            fault_since=state.since.utc if fault and state.since else None,
            fault_detail=state.detail[:_MOST_DETAIL] if fault else None,
            reopened=state.reopened,
        ),
        stages=dict(timer.percentiles()),
        outbox=outbox,
        memory_mb=vitals.memory_mb(),
        temperature_c=heat.celsius,
        throttled=heat.throttled,
        looks_per_s_target=round(pace.governor.looks_per_s, 2),
        governor=GovernorHealth(state=pace.governor.state, since=pace.governor.since.utc),
        gate=GateHealth(skipped_share=round(timer.skipped_share(), 3)) if pace.gated else None,
        requests=requests,
    )


def standing(parts: Parts, looked: Instant, now: Instant, *, seen: bool) -> Standing:
    """Return how camera, looks and line stand, for the watchdog.

    Args:
        parts: What runs.
        looked: When the newest frame was looked at.
        now: The present moment.
        seen: One was, since the process began.
    """
    state = parts.capture.state(now)
    sensing = Sensing(
        fault=state.fault is not None,
        delivered=state.delivered,
        looked=looked.mono,
        look_s=1 / parts.preparer.looks_per_s,
        seen=seen,
    )
    return Standing(
        now=now.mono,
        sensor_runs=parts.worker.mode.sensing,
        sensing=None if parts.worker.shift.resting else sensing,
        heartbeats=(parts.capture.heartbeat, *parts.link.heartbeats),
        connected=parts.link.connected,
    )


class Watching:
    """Whether the box looks at the desk, since when, and why not."""

    def __init__(self) -> None:
        self._since: Instant | None = None

    def saw(self, now: Instant) -> bool:
        """Note a believable frame; say whether it is the first one since the box did not look."""
        first = self._since is None
        if first:
            self._since = now
        return first

    def resumed(self, now: Instant) -> None:
        """Note the end of a break: from now on the worker is looked at, with a frame or before."""
        self._since = now

    def privacy(
        self,
        state: CaptureState,
        now: Instant,
        *,
        rest: Privacy | None = None,
        absent_since: Instant | None = None,
    ) -> Privacy | None:
        """Return what to publish; None before there was a frame or a fault to tell of.

        Args:
            state: The capture thread's own account.
            now: The present moment.
            rest: What is to be said of a break that goes on; it goes before all else.
            absent_since: Since when nobody is at the desk.
        """
        if rest is not None:
            self._since = None
            return rest
        if state.fault is not None:
            self._since = None
            since = state.since or now
            return Privacy(state=PrivacyState.FAULT, reason=state.fault.value, since=since.utc)
        if self._since is None:
            return None
        if absent_since is not None:
            return Privacy(state=PrivacyState.ABSENT, since=absent_since.utc)
        return Privacy(state=PrivacyState.WORKING, since=self._since.utc)

    def off(self, state: CaptureState, now: Instant, *, rest: Privacy | None = None) -> Privacy:
        """Return the last word of a process: the sensor is stopped, or was so or at fault before.

        A break outlives the process.
        """
        self._since = None
        off = Privacy(state=PrivacyState.OFF, since=now.utc)
        return self.privacy(state, now, rest=rest) or off
