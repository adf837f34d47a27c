"""The first log: events, violations, boxes, and what is missing, lost, unreadable or wrong."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None

_Utc = sa.DateTime(timezone=True)
_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Name, _Id = sa.String(64), sa.String(32)


def upgrade() -> None:
    """Make the tables."""
    _events()
    _violations()
    _boxes()
    _numbers()
    _quarantine()
    _alarms()
    op.create_table(
        "meta",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("site", _Name, nullable=False),
        sa.Column("box", _Name, nullable=False),
        sa.Column("event_id", _Id, nullable=False, unique=True),
        sa.Column("violation_id", _Id, nullable=False),
        sa.Column("epoch", _Id, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(16)),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("class", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("dwell_s", sa.Float, nullable=False),
        sa.Column("x1", sa.Float, nullable=False),
        sa.Column("y1", sa.Float, nullable=False),
        sa.Column("x2", sa.Float, nullable=False),
        sa.Column("y2", sa.Float, nullable=False),
        sa.Column("suspended", sa.Boolean, nullable=False),
        sa.Column("opened_at", _Utc, nullable=False),
        sa.Column("at", _Utc, nullable=False),
        sa.Column("clock_synced", sa.Boolean, nullable=False),
        sa.Column("boot", _Id, nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("schema", sa.Integer, nullable=False),
        sa.Column("replayed", sa.Boolean, nullable=False),
        sa.Column("received_at", _Utc, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("site", "box", "epoch", "seq"),
    )
    op.create_index("events_violation", "events", ["site", "box", "violation_id"])
    op.create_index("events_at", "events", ["at"])


def _violations() -> None:
    op.create_table(
        "violations",
        sa.Column("site", _Name, primary_key=True),
        sa.Column("box", _Name, primary_key=True),
        sa.Column("violation_id", _Id, primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("class", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("dwell_s", sa.Float, nullable=False),
        sa.Column("x1", sa.Float, nullable=False),
        sa.Column("y1", sa.Float, nullable=False),
        sa.Column("x2", sa.Float, nullable=False),
        sa.Column("y2", sa.Float, nullable=False),
        sa.Column("suspended", sa.Boolean, nullable=False),
        sa.Column("opened_at", _Utc, nullable=False),
        sa.Column("closed_at", _Utc),
        sa.Column("reason", sa.String(16)),
        sa.Column("clock_synced", sa.Boolean, nullable=False),
        sa.Column("replayed", sa.Boolean, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("last_epoch", _Id, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("last_at", _Utc, nullable=False),
    )
    op.create_index("violations_opened", "violations", ["opened_at"])
    op.create_index("violations_closed", "violations", ["closed_at"])


def _boxes() -> None:
    op.create_table(
        "boxes",
        sa.Column("site", _Name, primary_key=True),
        sa.Column("box", _Name, primary_key=True),
        sa.Column("status", sa.String(16)),
        sa.Column("version", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("boot", _Id),
        sa.Column("privacy", sa.String(16)),
        sa.Column("privacy_reason", sa.Text),
        sa.Column("privacy_since", _Utc),
        sa.Column("health", sa.LargeBinary),
        sa.Column("health_at", _Utc),
        sa.Column("health_boot", _Id),
        sa.Column("uptime_s", sa.Float),
        sa.Column("outbox_depth", sa.BigInteger),
        sa.Column("outbox_lost", sa.BigInteger),
        sa.Column("epoch", _Id),
        sa.Column("last_seen", _Utc),
    )


def _numbers() -> None:
    op.create_table(
        "epochs",
        sa.Column("site", _Name, primary_key=True),
        sa.Column("box", _Name, primary_key=True),
        sa.Column("epoch", _Id, primary_key=True),
        sa.Column("top", sa.BigInteger, nullable=False),
        sa.Column("lost_top", sa.BigInteger, nullable=False),
        sa.Column("missing", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "gaps",
        sa.Column("site", _Name, primary_key=True),
        sa.Column("box", _Name, primary_key=True),
        sa.Column("epoch", _Id, primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "losses",
        sa.Column("site", _Name, primary_key=True),
        sa.Column("box", _Name, primary_key=True),
        sa.Column("epoch", _Id, primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("reported_at", _Utc, nullable=False),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("site", _Name),
        sa.Column("box", _Name),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("deliveries", sa.Integer, nullable=False),
        sa.Column("received_at", _Utc, nullable=False),
        sa.Column("last_at", _Utc, nullable=False),
        sa.UniqueConstraint("topic", "digest"),
    )


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("site", _Name, nullable=False),
        sa.Column("box", _Name, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("opened_at", _Utc, nullable=False),
        sa.Column("last_at", _Utc, nullable=False),
        sa.Column("closed_at", _Utc),
    )
    op.create_index(
        "alarms_open",
        "alarms",
        ["kind", "site", "box", "subject"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
