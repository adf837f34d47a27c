"""The log's tables: the state of record of all boxes, kept in one database."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from cleandesk_fleet.columns import Utc, meta_table, of_box, row_id

#: Goes up with every migration: software works with logs of its own version alone.
VERSION = 7

metadata = MetaData()

Id = String(32)

meta = meta_table(metadata)


def _facts() -> Iterator[Column[Any]]:
    """Yield what an event says of its violation, and the violation's row has of the newest one."""
    for name in ("rule", "class", "zone"):
        yield Column(name, Text, nullable=False)
    yield Column("severity", String(16), nullable=False)
    for name in ("score", "dwell_s", "x1", "y1", "x2", "y2"):
        yield Column(name, Float, nullable=False)
    yield Column("suspended", Boolean, nullable=False)
    yield Column("opened_at", Utc, nullable=False)


def _picture() -> Iterator[Column[Any]]:
    """Yield what is known of a picture while it is kept, and stays as the proof that it is gone."""
    yield Column("still_id", Id, nullable=False, unique=True)
    yield Column("violation_id", Id, nullable=False)
    yield Column("media_type", String(40), nullable=False)
    yield Column("sha256", String(64), nullable=False)
    yield Column("size", Integer, nullable=False)


def _arrival() -> Iterator[Column[Any]]:
    """Yield what is known of each message of a worker's or a violation's: from when, and when."""
    yield Column("at", Utc, nullable=False)
    yield Column("clock_synced", Boolean, nullable=False)
    yield Column("schema", Integer, nullable=False)
    yield Column("replayed", Boolean, nullable=False)
    yield Column("received_at", Utc, nullable=False)


events = Table(
    "events",
    metadata,
    row_id(),
    *of_box(),
    Column("event_id", Id, nullable=False, unique=True),
    Column("violation_id", Id, nullable=False),
    Column("epoch", Id, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("reason", String(16)),
    *_facts(),
    Column("at", Utc, nullable=False),
    Column("clock_synced", Boolean, nullable=False),
    Column("boot", Id, nullable=False),
    Column("model", String(64), nullable=False),
    Column("schema", Integer, nullable=False),
    Column("replayed", Boolean, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("site", "box", "epoch", "seq"),
    Index("events_violation", "site", "box", "violation_id"),
    Index("events_at", "at"),
    Index("events_received", "received_at"),
)
#: Of what ended, by class and model: what the rate of false alarms is reckoned from.
Index(
    "events_closed",
    events.c.at,
    events.c["class"],
    events.c.model,
    sqlite_where=events.c.phase == "close",
    postgresql_where=events.c.phase == "close",
)

violations = Table(
    "violations",
    metadata,
    *of_box(primary_key=True),
    Column("violation_id", Id, primary_key=True),
    *_facts(),
    Column("closed_at", Utc),
    Column("reason", String(16)),
    Column("clock_synced", Boolean, nullable=False),
    Column("replayed", Boolean, nullable=False),
    Column("events", Integer, nullable=False),
    Column("last_epoch", Id, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("last_at", Utc, nullable=False),
    Index("violations_opened", "opened_at"),
    Index("violations_closed", "closed_at"),
    Index("violations_of_site", "site", "opened_at"),
    Index("violations_of_box", "site", "box", "opened_at"),
    Index("violations_class", "class", "opened_at"),
    Index("violations_rule", "rule", "opened_at"),
    Index("violations_severity", "severity", "opened_at"),
)

appeals = Table(
    "appeals",
    metadata,
    row_id(),
    *of_box(),
    Column("appeal_id", Id, nullable=False, unique=True),
    Column("violation_id", Id, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("note", Text),
    *_arrival(),
    Column("payload", LargeBinary, nullable=False),
    Index("appeals_violation", "site", "box", "violation_id"),
    Index("appeals_received", "received_at"),
)

stills = Table(
    "stills",
    metadata,
    row_id(),
    *of_box(),
    *_picture(),
    *_arrival(),
    Column("delete_at", Utc, nullable=False),
    Index("stills_violation", "site", "box", "violation_id"),
    Index("stills_sha256", "sha256"),
)

#: What is left of a still after its time: that it was there, and that it is gone.
deleted_stills = Table(
    "deleted_stills",
    metadata,
    row_id(),
    *of_box(),
    *_picture(),
    Column("received_at", Utc, nullable=False),
    Column("delete_at", Utc, nullable=False),
    Column("deleted_at", Utc, nullable=False),
    Column("file_gone", Boolean, nullable=False),
    Index("deleted_stills_violation", "site", "box", "violation_id"),
    Index("deleted_stills_deleted", "deleted_at"),
)

boxes = Table(
    "boxes",
    metadata,
    *of_box(primary_key=True),
    Column("status", String(16)),
    Column("version", Text),
    Column("model", Text),
    Column("boot", Id),
    Column("privacy", String(16)),
    Column("privacy_reason", Text),
    Column("privacy_since", Utc),
    Column("privacy_until", Utc),
    Column("privacy_beyond", Text),
    Column("idle", Boolean),
    Column("idle_since", Utc),
    Column("idle_at", Utc),
    Column("health", LargeBinary),
    Column("health_at", Utc),
    Column("health_boot", Id),
    Column("uptime_s", Float),
    Column("outbox_depth", BigInteger),
    Column("outbox_oldest_s", Float),
    Column("outbox_lost", BigInteger),
    Column("epoch", Id),
    Column("last_seen", Utc),
)

epochs = Table(
    "epochs",
    metadata,
    *of_box(primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("top", BigInteger, nullable=False),
    Column("lost_top", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False),
)

gaps = Table(
    "gaps",
    metadata,
    *of_box(primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("noted_at", Utc),
    Index("gaps_noted", "noted_at"),
)

losses = Table(
    "losses",
    metadata,
    *of_box(primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("reported_at", Utc, nullable=False),
    Index("losses_reported", "reported_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    row_id(),
    *of_box(nullable=True),
    Column("topic", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("result", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("deliveries", Integer, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    UniqueConstraint("topic", "digest"),
)

#: What the time limit took, with the proof: how many there were, and how many of those that should
#: be gone were still there, counted after the commit; empty until they are counted.
deletions = Table(
    "deletions",
    metadata,
    row_id(),
    Column("what", String(16), nullable=False),
    Column("how", Text, nullable=False),
    Column("received_before", Utc, nullable=False),
    Column("first_received", Utc, nullable=False),
    Column("last_received", Utc, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("left", BigInteger),
    Column("deleted_at", Utc, nullable=False),
)
UNCOUNTED = deletions.c.left.is_(None)
Index(
    "deletions_uncounted",
    deletions.c.what,
    sqlite_where=UNCOUNTED,
    postgresql_where=UNCOUNTED,
)

alarms = Table(
    "alarms",
    metadata,
    row_id(),
    Column("kind", String(16), nullable=False),
    *of_box(),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("times", Integer, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Index("alarms_closed", "closed_at"),
)
Index(
    "alarms_open",
    alarms.c.kind,
    alarms.c.site,
    alarms.c.box,
    alarms.c.subject,
    unique=True,
    sqlite_where=alarms.c.closed_at.is_(None),
    postgresql_where=alarms.c.closed_at.is_(None),
)
Index(
    "alarms_of_box",
    alarms.c.site,
    alarms.c.box,
    sqlite_where=alarms.c.closed_at.is_(None),
    postgresql_where=alarms.c.closed_at.is_(None),
)
Index("alarms_box_opened", alarms.c.site, alarms.c.box, alarms.c.opened_at)
