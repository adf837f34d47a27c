"""The events of PostgreSQL, divided by the month in which they came."""

from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time

from sqlalchemy import Connection, text

EVENTS = "events"
#: The column that says to which one an event belongs.
MONTH = "month"
#: So many months are made ahead: a partition is there before its first event.
_AHEAD = 2
_DECEMBER = 12
#: So long all who write events may wait for one that is dropped.
_PATIENCE_MS = 500


def month_of(moment: datetime) -> date:
    """Return the first day of a moment's month; the moment is in UTC."""
    return date(moment.year, moment.month, 1)


def after(month: date) -> date:
    """Return the first day of the next month."""
    if month.month == _DECEMBER:
        return date(month.year + 1, 1, 1)
    return date(month.year, month.month + 1, 1)


def make(connection: Connection, months: AbstractSet[date]) -> None:
    """Make the partitions that are not there; nobody waits for it who reads or writes events."""
    known: set[date] = connection.info.setdefault(EVENTS, set())
    for month in sorted(months - known):
        name = f"{EVENTS}_{month:%Y_%m}"
        if _is_there(connection, name):
            known.add(month)
            continue
        # Others who make one wait. `CREATE TABLE … PARTITION OF` would have all wait, and would
        # itself wait for whoever reads, a backup for hours.
        connection.exec_driver_sql(f"LOCK TABLE {EVENTS} IN SHARE UPDATE EXCLUSIVE MODE")
        if not _is_there(connection, name):
            connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {EVENTS} INCLUDING DEFAULTS)")
            connection.exec_driver_sql(
                f"ALTER TABLE {EVENTS} ATTACH PARTITION {name} "
                f"FOR VALUES FROM ('{month}') TO ('{after(month)}')"
            )


def _is_there(connection: Connection, name: str) -> bool:
    return bool(connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": name}))


def divided(connection: Connection) -> bool:
    """Say whether events lie in partitions, as they do on PostgreSQL alone."""
    return connection.dialect.name == "postgresql"


def make_ahead(connection: Connection, now: datetime) -> None:
    """Make the partitions of this month and the next ones; nothing on other databases."""
    if not divided(connection):
        return
    months = [month_of(now)]
    for _ in range(_AHEAD):
        months.append(after(months[-1]))
    make(connection, set(months))


def ended(connection: Connection, before: datetime) -> list[str]:
    """Return the partitions of which every event came before a moment, the oldest first."""
    if not divided(connection):
        return []
    names = connection.scalars(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'events'::regclass ORDER BY c.relname"
        )
    )
    return [name for name in names if after(month_in(name)) <= before.date()]


def lock(connection: Connection, partition: str) -> None:
    """Keep everybody from a month's events until the commit, for `drop`.

    That locks all events for a moment. Where somebody reads them for long (a backup), everybody
    who writes them waits behind us, so we give up soon.

    Raises:
        OperationalError: If they are being read; try again later.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE_MS}ms'")
    # In the order in which all come to the month: through `events`.
    connection.exec_driver_sql(
        f"LOCK TABLE ONLY {EVENTS}, ONLY {partition} IN ACCESS EXCLUSIVE MODE"
    )


def drop(connection: Connection, partition: str) -> None:
    """Delete a month's events, all of them, which `lock` holds."""
    forget(connection)
    connection.exec_driver_sql(f"DROP TABLE {partition}")


def forget(connection: Connection) -> None:
    """See anew which partitions are there, the next time that `make` is called."""
    connection.info.pop(EVENTS, None)


def end_of(partition: str) -> datetime:
    """Return the moment at which a partition's month is over."""
    return datetime.combine(after(month_in(partition)), time.min, UTC)


def month_in(partition: str) -> date:
    """Return the first day of a partition's month."""
    year, month = partition.removeprefix(f"{EVENTS}_").split("_")
    return date(int(year), int(month), 1)
