"""Notices of severe violations, until somebody has been told; how long a box's events wait."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"

_Utc = sa.DateTime(timezone=True)
_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Name, _Id = sa.String(64), sa.String(32)
_UNTOLD = sa.text("sent_at IS NULL AND given_up_at IS NULL")


def upgrade() -> None:
    """Only add."""
    op.add_column("boxes", sa.Column("outbox_oldest_s", sa.Float))
    op.create_table(
        "notices",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("way", sa.String(16), nullable=False),
        sa.Column("site", _Name, nullable=False),
        sa.Column("box", _Name, nullable=False),
        sa.Column("violation_id", _Id, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("class", sa.Text, nullable=False),
        sa.Column("opened_at", _Utc, nullable=False),
        sa.Column("clock_synced", sa.Boolean, nullable=False),
        sa.Column("received_at", _Utc, nullable=False),
        sa.Column("message", _Id),
        sa.Column("made_at", _Utc),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", _Utc),
        sa.Column("sent_at", _Utc),
        sa.Column("given_up_at", _Utc),
        sa.UniqueConstraint("site", "box", "violation_id", "way"),
    )
    op.create_index(
        "notices_untold",
        "notices",
        ["way", "id"],
        sqlite_where=_UNTOLD,
        postgresql_where=_UNTOLD,
    )
    op.create_index("notices_made", "notices", ["way", "made_at"])
    op.create_index("notices_message", "notices", ["message"])
