"""From what the policy reports to what is sent: bytes that never change afterwards."""

from cleandesk.clock import Instant
from cleandesk.contract.messages import ActiveViolation, CloseReason, Phase, ViolationEvent
from cleandesk.contract.topics import Address
from cleandesk.policy.change import Change

_DIGITS = 4  # of a score or a place; more would be noise


class EventMaker:
    """Makes the messages of one box.

    Args:
        address: Whose events they are.
        boot: Id of this power-on.
        model_sha256: Of the detector's weights.
    """

    def __init__(self, address: Address, *, boot: str, model_sha256: str) -> None:
        self.address = address
        self._boot = boot
        self._model = model_sha256

    def event(self, change: Change, *, epoch: str, seq: int, event_id: str) -> bytes:
        """Return the `violation` message of a change."""
        return ViolationEvent.model_validate(
            {
                **_facts(change),
                "event_id": event_id,
                "epoch": epoch,
                "seq": seq,
                "phase": change.phase,
                "reason": change.reason,
                "at": change.at.utc,
                "boot": self._boot,
                "model": self._model,
            }
        ).to_json()

    def active(self, change: Change, *, event_id: str) -> bytes:
        """Return the `active/<violation_id>` message after a change; empty once it is closed."""
        if change.phase is Phase.CLOSE:
            return b""
        return ActiveViolation.model_validate({**_facts(change), "since_event": event_id}).to_json()


def closing(active: ActiveViolation, reason: CloseReason, at: Instant) -> Change:
    """Return the change that closes an open violation of which only its message is left."""
    opened = Instant(mono=at.mono, utc=active.opened_at, synced=active.clock_synced)
    return Change(
        violation_id=active.violation_id,
        phase=Phase.CLOSE,
        rule=active.rule,
        class_name=active.class_name,
        zone=active.zone,
        severity=active.severity,
        place=active.place,
        score=active.score,
        dwell_s=active.dwell_s,
        opened=opened,
        at=at,
        suspended=active.suspended,
        reason=reason,
    )


def _facts(change: Change) -> dict[str, object]:
    return {
        "violation_id": change.violation_id,
        "rule": change.rule,
        "class": change.class_name,
        "zone": change.zone,
        "severity": change.severity,
        "score": _fraction(change.score),
        "dwell_s": round(max(0.0, change.dwell_s), 3),
        "place": tuple(_fraction(edge) for edge in change.place),
        "suspended": change.suspended,
        "opened_at": change.opened.utc,
        "clock_synced": change.at.synced,
    }


def _fraction(value: float) -> float:
    """Round, and take back what float arithmetic pushed over an edge."""
    return round(min(1.0, max(0.0, value)), _DIGITS)
