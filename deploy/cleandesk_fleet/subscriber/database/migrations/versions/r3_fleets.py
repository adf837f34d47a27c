"""Whole fleets: events by month on PostgreSQL, the age of gaps, proof of what was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"

_Utc = sa.DateTime(timezone=True)
_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
#: Rows that change all the time find room for their next version on the same page.
_CHANGING = ("boxes", "epochs", "violations")


def upgrade() -> None:
    """Add; the events of PostgreSQL, of which there are none yet, are divided by month."""
    op.add_column("gaps", sa.Column("noted_at", _Utc))
    op.create_index("gaps_noted", "gaps", ["noted_at"])
    op.create_table(
        "deletions",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("received_before", _Utc, nullable=False),
        sa.Column("first_received", _Utc, nullable=False),
        sa.Column("last_received", _Utc, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("left", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", _Utc, nullable=False),
    )
    op.create_index("events_received", "events", ["received_at"])
    op.create_index(
        "alarms_of_box",
        "alarms",
        ["site", "box"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    if op.get_context().dialect.name == "postgresql":
        _divide_events()
        for table in _CHANGING:
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")


def _divide_events() -> None:
    for statement in (
        "ALTER TABLE events RENAME TO events_before",
        "ALTER SEQUENCE events_id_seq OWNED BY NONE",
        """
        CREATE TABLE events (LIKE events_before INCLUDING DEFAULTS, month date NOT NULL)
        PARTITION BY RANGE (month)
        """,
        "DROP TABLE events_before",
        "ALTER SEQUENCE events_id_seq OWNED BY events.id",
        # Uniqueness holds within a month, and beyond it by the numbers in `epochs` and `gaps`.
        "ALTER TABLE events ADD PRIMARY KEY (id, month)",
        "ALTER TABLE events ADD UNIQUE (event_id, month)",
        "ALTER TABLE events ADD UNIQUE (site, box, epoch, seq, month)",
        "CREATE INDEX events_violation ON events (site, box, violation_id)",
        "CREATE INDEX events_at ON events (at)",
        "CREATE INDEX events_received ON events (received_at)",
    ):
        op.execute(statement)
