"""The rows of events, and the present state of a violation from them in whatever order."""

from datetime import datetime

from cleandesk.contract.messages import Phase, ViolationEvent
from cleandesk_fleet.subscriber.intake import Event
from cleandesk_fleet.subscriber.rows import Row

_SIDES = ("x1", "y1", "x2", "y2")


def facts(event: ViolationEvent) -> Row:
    """Return what an event's row and its violation's have in common."""
    return _place(event) | {
        "rule": event.rule,
        "class": event.class_name,
        "zone": event.zone,
        "severity": event.severity.value,
        "score": event.score,
        "dwell_s": event.dwell_s,
        "suspended": event.suspended,
        "opened_at": event.opened_at,
        "clock_synced": event.clock_synced,
    }


def event_row(event: Event, common: Row, now: datetime) -> Row:
    """Return an event's row: every field of it, and its bytes as they came.

    Args:
        event: The event.
        common: Its `facts`.
        now: When it is logged.
    """
    message = event.message
    return common | {
        "site": event.address.site,
        "box": event.address.box,
        "event_id": message.event_id,
        "violation_id": message.violation_id,
        "epoch": message.epoch,
        "seq": message.seq,
        "phase": message.phase.value,
        "reason": message.reason.value if message.reason else None,
        "at": message.at,
        "boot": message.boot,
        "model": message.model,
        "schema": message.schema_version,
        "replayed": event.replayed,
        "received_at": now,
        "payload": event.payload,
    }


def merge(known: Row | None, event: Event, common: Row) -> Row:
    """Return a violation's row after one more of its events, whose `facts` are given.

    The close has the last word, also when it comes first. Otherwise the newest event counts: by
    number within an epoch, by time across them. The place is where it opened.
    """
    message, replayed = event.message, event.replayed
    if known is None:
        return common | _newest(message) | {"replayed": replayed, "events": 1}
    row = known | {"events": known["events"] + 1, "replayed": known["replayed"] or replayed}
    row["opened_at"] = min(known["opened_at"], message.opened_at)
    row["score"] = max(known["score"], message.score)
    closes, closed = message.phase is Phase.CLOSE, known["closed_at"] is not None
    if _newer(message, known) if closes == closed else closes:
        kept = {"score": row["score"], "opened_at": row["opened_at"]}
        row |= common | _newest(message) | kept
    place = common if message.phase is Phase.OPEN else known
    return row | {side: place[side] for side in _SIDES}


def _newer(event: ViolationEvent, known: Row) -> bool:
    if event.epoch == known["last_epoch"]:
        return bool(event.seq > known["last_seq"])
    return bool(event.at > known["last_at"])


def _place(event: ViolationEvent) -> Row:
    return dict(zip(_SIDES, event.place, strict=True))


def _newest(event: ViolationEvent) -> Row:
    return {
        "closed_at": event.at if event.phase is Phase.CLOSE else None,
        "reason": event.reason.value if event.reason else None,
        "last_epoch": event.epoch,
        "last_seq": event.seq,
        "last_at": event.at,
    }
