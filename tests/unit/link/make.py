"""What the tests of the link are made of."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cleandesk.clock import Instant, SystemClock
from cleandesk.contract.commands import BreakResponse, Outcome
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.health import CameraHealth, Health
from cleandesk.contract.messages import (
    AckResult,
    AckStatus,
    CloseReason,
    Phase,
    Privacy,
    PrivacyState,
    Severity,
)
from cleandesk.contract.topics import Address, Command
from cleandesk.contract.worker_messages import Appeal, AppealReason, Idle
from cleandesk.link import Entry, EventMaker, Link, Outbox, Paper
from cleandesk.link.records import Pending
from cleandesk.policy.change import Change
from cleandesk.settings import LedgerSettings, OutboxSettings

BOOT, OTHER_BOOT = "b" * 32, "c" * 32
ADDRESS = Address("site", "box")
MAKER = EventMaker(ADDRESS, boot=BOOT, model_sha256="0" * 64)
OPENED: list[Outbox] = []  # closed after each test
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    mono: float = 1000.0
    started: float = field(init=False)
    synced: bool = True

    def __post_init__(self) -> None:
        self.started = self.mono

    def now(self) -> Instant:
        return Instant(
            self.mono, START + timedelta(seconds=self.mono - self.started), synced=self.synced
        )


def new_id() -> str:
    return uuid.uuid4().hex


def change(
    violation_id: str | None = None,
    phase: Phase = Phase.OPEN,
    reason: CloseReason | None = None,
) -> Change:
    at = FakeClock().now()
    return Change(
        violation_id=violation_id or new_id(),
        phase=phase,
        rule="no-phones",
        class_name="phone",
        zone="desk",
        severity=Severity.HIGH,
        place=(0.1, 0.2, 0.3, 0.4),
        score=0.9,
        dwell_s=5.0,
        opened=at,
        at=at,
        reason=reason,
    )


def closed(violation_id: str) -> Change:
    return change(violation_id, Phase.CLOSE, CloseReason.CLEARED)


def outbox(
    path: Path,
    *,
    max_events: int = 10_000,
    max_mb: float = 64,
    boot: str = BOOT,
    clock: FakeClock | None = None,
    keep: LedgerSettings | None = None,
) -> Outbox:
    settings = OutboxSettings(path=path, max_events=max_events, max_mb=max_mb)
    made = Outbox(settings, ADDRESS, boot=boot, clock=clock or FakeClock(), keep=keep)
    OPENED.append(made)
    return made


def commit(box: Outbox, *changes: Change, state: bytes = b"{}") -> None:
    box.commit(changes, state, make=MAKER)


def commit_many(box: Outbox, count: int) -> None:
    for _ in range(count):
        commit(box, change())


def everything(box: Outbox) -> list[Pending]:
    return box.pending(limit=1_000_000)


def acks(events: Iterable[Pending], result: AckStatus = AckStatus.COMMITTED) -> list[AckResult]:
    return [AckResult(id=event.event_id, result=result) for event in events]


def appeal(violation_id: str) -> Paper:
    said = Appeal(
        appeal_id=new_id(),
        violation_id=violation_id,
        reason=AppealReason.NOT_MINE,
        at=START,
        clock_synced=True,
    )
    return Paper.appeal(ADDRESS, said)


def idle(minute: int = 0, *, since: datetime = START) -> Paper:
    at = START + timedelta(minutes=minute)
    return Paper.idle(ADDRESS, Idle(idle=True, since=since, at=at, clock_synced=True))


def response(correlation: bytes = b"asked") -> Paper:
    said = BreakResponse(outcome=Outcome.DONE, at=START, clock_synced=True)
    return Paper.response(ADDRESS, Command.BREAK, correlation, said)


def privacy(minute: int = 0, state: PrivacyState = PrivacyState.WORKING) -> Paper:
    return Paper.privacy(ADDRESS, Privacy(state=state, since=START + timedelta(minutes=minute)))


def jpeg(number: int = 0, size: int = 2_000) -> bytes:
    """Return what passes for a JPEG, another one for each number."""
    return b"\xff\xd8\xff" + number.to_bytes(8, "big") + b"\x07" * (size - 13) + b"\xff\xd9"


def still(violation_id: str | None = None, number: int = 0) -> Paper:
    return Paper.still(ADDRESS, violation_id or new_id(), new_id(), jpeg(number))


def papers(violation_id: str) -> list[Paper]:
    """Return one that the subscriber answers for, and two that it does not."""
    return [appeal(violation_id), idle(), response()]


LinkMaker = Callable[..., Link]


def broker_settings(port: int, **settings: float) -> BrokerSettings:
    patience = {"retry_min_s": 0.05, "retry_max_s": 0.3, "ack_timeout_s": 60.0, **settings}
    return BrokerSettings.model_validate({"host": "127.0.0.1", "port": port, **patience})


def new_link(box: Outbox, port: int, **settings: float) -> Link:
    return Link(
        broker_settings(port, **settings),
        ADDRESS,
        box,
        clock=SystemClock(),
        boot=BOOT,
        version="1.2.3",
        model="desk 1",
    )


def health(box: Outbox) -> Health:
    return Health(
        at=START,
        boot=BOOT,
        uptime_s=1,
        clock_synced=True,
        scheduled_rules_active=True,
        camera=CameraHealth(fps=5, frames=10, dropped=0),
        stages={},
        outbox=box.health(),
        memory_mb=100,
    )


def entries(box: Outbox) -> list[Entry]:
    """Return the whole ledger, the oldest first."""
    return box.ledger(limit=100_000)[::-1]


def kinds(box: Outbox) -> list[str]:
    """Return the kind of each entry, the oldest first."""
    return [one.kind for one in entries(box)]
