"""Appeals, stills, and what boxes say about breaks and idleness."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_Utc = sa.DateTime(timezone=True)
_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Name, _Id = sa.String(64), sa.String(32)


def upgrade() -> None:
    """Only add."""
    _appeals()
    _stills()
    _deleted_stills()
    for column in (
        sa.Column("privacy_until", _Utc),
        sa.Column("privacy_beyond", sa.Text),
        sa.Column("idle", sa.Boolean),
        sa.Column("idle_since", _Utc),
        sa.Column("idle_at", _Utc),
    ):
        op.add_column("boxes", column)


def _appeals() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("site", _Name, nullable=False),
        sa.Column("box", _Name, nullable=False),
        sa.Column("appeal_id", _Id, nullable=False, unique=True),
        sa.Column("violation_id", _Id, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("at", _Utc, nullable=False),
        sa.Column("clock_synced", sa.Boolean, nullable=False),
        sa.Column("schema", sa.Integer, nullable=False),
        sa.Column("replayed", sa.Boolean, nullable=False),
        sa.Column("received_at", _Utc, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("appeals_violation", "appeals", ["site", "box", "violation_id"])


def _stills() -> None:
    op.create_table(
        "stills",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("site", _Name, nullable=False),
        sa.Column("box", _Name, nullable=False),
        sa.Column("still_id", _Id, nullable=False, unique=True),
        sa.Column("violation_id", _Id, nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("at", _Utc, nullable=False),
        sa.Column("clock_synced", sa.Boolean, nullable=False),
        sa.Column("schema", sa.Integer, nullable=False),
        sa.Column("replayed", sa.Boolean, nullable=False),
        sa.Column("received_at", _Utc, nullable=False),
        sa.Column("delete_at", _Utc, nullable=False),
    )
    op.create_index("stills_violation", "stills", ["site", "box", "violation_id"])
    op.create_index("stills_sha256", "stills", ["sha256"])


def _deleted_stills() -> None:
    op.create_table(
        "deleted_stills",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("site", _Name, nullable=False),
        sa.Column("box", _Name, nullable=False),
        sa.Column("still_id", _Id, nullable=False, unique=True),
        sa.Column("violation_id", _Id, nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("received_at", _Utc, nullable=False),
        sa.Column("delete_at", _Utc, nullable=False),
        sa.Column("deleted_at", _Utc, nullable=False),
        sa.Column("file_gone", sa.Boolean, nullable=False),
    )
    op.create_index("deleted_stills_violation", "deleted_stills", ["site", "box", "violation_id"])
