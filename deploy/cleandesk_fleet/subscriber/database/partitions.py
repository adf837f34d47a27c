"""The events of PostgreSQL, divided by the month in which they came."""

from collections.abc import Set as AbstractSet
from datetime import date, datetime

from sqlalchemy import Connection, text

EVENTS = "events"
#: The column that says to which one an event belongs.
MONTH = "month"
#: So many months are made ahead: a partition is there before its first event.
_AHEAD = 2
_DECEMBER = 12


def month_of(moment: datetime) -> date:
    """Return the first day of a moment's month; the moment is in UTC."""
    return date(moment.year, moment.month, 1)


def after(month: date) -> date:
    """Return the first day of the next month."""
    if month.month == _DECEMBER:
        return date(month.year + 1, 1, 1)
    return date(month.year, month.month + 1, 1)


def make(connection: Connection, months: AbstractSet[date]) -> None:
    """Make the partitions that are not there."""
    known: set[date] = connection.info.setdefault(EVENTS, set())
    for month in sorted(months - known):
        name = f"{EVENTS}_{month:%Y_%m}"
        # Asked first: making one locks all events, if only for a moment.
        if connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": name}):
            known.add(month)
        else:
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {EVENTS} "
                f"FOR VALUES FROM ('{month}') TO ('{after(month)}')"
            )


def make_ahead(connection: Connection, now: datetime) -> None:
    """Make the partitions of this month and the next ones; nothing on other databases."""
    if connection.dialect.name != "postgresql":
        return
    months = [month_of(now)]
    for _ in range(_AHEAD):
        months.append(after(months[-1]))
    make(connection, set(months))


def ended(connection: Connection, before: datetime) -> list[str]:
    """Return the partitions of which every event came before a moment, the oldest first."""
    if connection.dialect.name != "postgresql":
        return []
    names = connection.scalars(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'events'::regclass ORDER BY c.relname"
        )
    )
    return [name for name in names if after(_month(name)) <= before.date()]


def drop(connection: Connection, partition: str) -> None:
    """Delete a month's events, all of them."""
    connection.info.pop(EVENTS, None)
    connection.exec_driver_sql(f"DROP TABLE {partition}")


def _month(partition: str) -> date:
    year, month = partition.removeprefix(f"{EVENTS}_").split("_")
    return date(int(year), int(month), 1)
