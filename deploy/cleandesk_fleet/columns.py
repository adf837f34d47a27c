"""Columns that the fleet's databases share: the subscriber's log, and the state of provisioning."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Utc(TypeDecorator[datetime]):
    """An aware moment, in UTC, also where the database keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn any zone into UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Give the zone back that SQLite dropped."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


#: SQLite numbers rows only by a column that is INTEGER to the letter.
RowId = BigInteger().with_variant(Integer, "sqlite")
#: A site's, a box's, an operator's.
Name = String(64)


def row_id() -> Column[int]:
    """Return the column by which the database numbers rows."""
    return Column("id", RowId, primary_key=True, autoincrement=True)


def of_box(*, primary_key: bool = False, nullable: bool = False) -> tuple[Column[str], Column[str]]:
    """Return the columns that say whose a row is."""
    site, box = (
        Column(name, Name, primary_key=primary_key, nullable=nullable) for name in ("site", "box")
    )
    return site, box


def meta_table(metadata: MetaData) -> Table:
    """Return the table of what a database says of itself, its schema's version above all."""
    return Table(
        "meta",
        metadata,
        Column("name", String(40), primary_key=True),
        Column("value", Text, nullable=False),
    )
