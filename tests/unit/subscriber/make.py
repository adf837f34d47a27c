"""Messages as boxes send them, and a clock that stands still until it is moved."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from cleandesk.contract.mqtt import Received
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.subscriber.intake import Reading, read
from cleandesk_fleet.subscriber.moments import Moment
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.transaction import Terms

BOX = Address("s1", "b1")
OTHER = Address("s1", "b2")
EPOCH = "e" * 32
BOOT = "b" * 32
START = datetime(2026, 5, 4, 8, tzinfo=UTC)


def hex_id(*parts: object) -> str:
    """Return the same 32 hexadecimal digits for the same parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def event_fields(seq: int = 1, *, phase: str = "open", **changes: Any) -> dict[str, Any]:
    at = START + timedelta(seconds=seq)
    fields = {
        "schema": 1,
        "violation_id": hex_id("violation"),
        "rule": "no-phone",
        "class": "phone",
        "zone": "desk",
        "severity": "high",
        "score": 0.9,
        "dwell_s": float(seq),
        "place": [0.1, 0.2, 0.3, 0.4],
        "suspended": False,
        "opened_at": START.isoformat(),
        "clock_synced": True,
        "event_id": hex_id("event", seq),
        "epoch": EPOCH,
        "seq": seq,
        "phase": phase,
        "at": at.isoformat(),
        "boot": BOOT,
        "model": "a" * 64,
    }
    if phase == "close":
        fields["reason"] = "cleared"
    return fields | changes


def health_fields(**changes: Any) -> dict[str, Any]:
    camera = {"fps": 5.0, "frames": 10, "dropped": 0}
    outbox = {"epoch": EPOCH, "next_seq": 1, "depth": 0, "bytes": 0, "lost": 0}
    fields = {
        "at": START.isoformat(),
        "boot": BOOT,
        "uptime_s": 100.0,
        "clock_synced": True,
        "scheduled_rules_active": True,
        "camera": camera | changes.pop("camera", {}),
        "stages": {"detect": {"p50_ms": 20.0, "p95_ms": 30.0}},
        "outbox": outbox | changes.pop("outbox", {}),
        "memory_mb": 120.0,
    }
    return fields | changes


def status_fields(state: str = "online") -> dict[str, Any]:
    return {"state": state, "boot": BOOT, "version": "1.0", "model": "desk 1"}


def received(
    channel: str,
    payload: object,
    *,
    box: Address = BOX,
    retain: bool = False,
    replayed: bool = False,
) -> Received:
    return Received(
        topic=box.topic(Channel(channel)),
        payload=payload if isinstance(payload, bytes) else json.dumps(payload).encode(),
        retain=retain,
        user=(("replayed", "1"),) if replayed else (),
        mid=1,
    )


def event(seq: int = 1, *, box: Address = BOX, replayed: bool = False, **changes: Any) -> Reading:
    """Return a reading of one event."""
    fields = event_fields(seq, **changes)
    return read(received("violation", fields, box=box, replayed=replayed), None)


def health(*, box: Address = BOX, retain: bool = False, **changes: Any) -> Reading:
    return read(received("health", health_fields(**changes), box=box, retain=retain), None)


def status(state: str = "online", *, box: Address = BOX, retain: bool = False) -> Reading:
    return read(received("status", status_fields(state), box=box, retain=retain), None)


def log_of(
    engine: Engine,
    *,
    silent_after_s: float = 180,
    max_quarantined: int = 50,
    folder: Path = Path("no-stills"),
    keep: timedelta = timedelta(hours=72),
) -> Log:
    """Return a log; a test with stills names a folder for them."""
    return Log(
        engine,
        silent_after_s=silent_after_s,
        terms=Terms(Album(Pictures(folder), keep), max_quarantined),
    )


class HandClock:
    """Moves only by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> Moment:
        return Moment(self.seconds, START + timedelta(seconds=self.seconds))

    def sleep(self, seconds: float) -> Moment:
        self.seconds += seconds
        return self()
