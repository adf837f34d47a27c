"""What is left of a deletion is counted afterwards; indices of what else is deleted by its age."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Allow a proof that is not counted yet; add the indices."""
    with op.batch_alter_table("deletions") as deletions:
        deletions.alter_column("left", existing_type=sa.BigInteger, nullable=True)
    uncounted = sa.text('"left" IS NULL')
    op.create_index(
        "deletions_uncounted",
        "deletions",
        ["what"],
        sqlite_where=uncounted,
        postgresql_where=uncounted,
    )
    op.create_index("deleted_stills_deleted", "deleted_stills", ["deleted_at"])
    op.create_index("losses_reported", "losses", ["reported_at"])
