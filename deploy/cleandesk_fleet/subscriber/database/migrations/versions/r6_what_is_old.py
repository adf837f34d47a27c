"""Indices of what is looked for each minute: what came, or ended, too long ago."""

from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Add them."""
    op.create_index("alarms_closed", "alarms", ["closed_at"])
    op.create_index("appeals_received", "appeals", ["received_at"])
    op.create_index("notices_received", "notices", ["received_at"])
