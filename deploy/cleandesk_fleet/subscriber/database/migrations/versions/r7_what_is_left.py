"""What is left of what was deleted is counted afterwards: until then nobody says a number."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Allow a proof that is not counted yet."""
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
