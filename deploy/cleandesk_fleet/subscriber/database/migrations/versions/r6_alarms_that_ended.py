"""An index of when alarms ended: what is old is looked for each minute."""

from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Add it."""
    op.create_index("alarms_closed", "alarms", ["closed_at"])
