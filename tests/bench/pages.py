"""How long the ops page's queries take on a log of many violations.

    python -m tests.bench.pages --rows 10000000 --database postgresql

Fills a database of its own, then reads pages as the page does: the first one, and one behind half
of all rows, for each filter; and for comparison the same page by OFFSET. Prints a table: the
median and the longest of so many reads, and which index was taken.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from cleandesk_fleet.subscriber.database import Place, open_beside, open_writer
from cleandesk_fleet.subscriber.tables import violations as table
from cleandesk_fleet.web.queries import filters, rates, timeline, violations
from cleandesk_fleet.web.queries.filters import Wanted
from cleandesk_fleet.web.queries.paging import encode
from cleandesk_fleet.web.store import Store
from tests.bench.pages_rows import FILL
from tests.postgresql import FAST, PostgreSQL

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
#: All rows lie in so much time, however many there are.
SPAN = timedelta(days=360)
_PART = 1_000_000
FILTERS: list[dict[str, str]] = [
    {},
    {"class": "phone"},
    {"class": "usb_stick"},
    {"site": "s7"},
    {"site": "s7", "box": "b42"},
    {"severity": "high", "class": "paper"},
    {"site": "s7", "class": "usb_stick"},
    {"rule": "no-phone", "since": "2026-06-01", "until": "2026-06-30"},
    {"state": "open"},
]


def fill(place: Place, rows: int) -> float:
    """Fill a new log; return the seconds that it took.

    Indices are made afterwards, as a log that grew has them, and takes far longer to grow.
    """
    open_writer(place).dispose()
    engine, start = open_beside(place), time.monotonic()
    with engine.begin() as connection:
        dialect = connection.dialect.name
        made = _indices(connection)
        for name, _ in made:
            connection.exec_driver_sql(f"DROP INDEX {name}")
    for first in range(0, rows, _PART):
        last = min(first + _PART, rows)
        with engine.begin() as connection:
            for statement in FILL[dialect]:
                step_s = SPAN.total_seconds() / rows
                connection.execute(text(statement), {"a": first, "b": last - 1, "step": step_s})
        print(f"{last} rows", file=sys.stderr)  # noqa: T201
    with engine.begin() as connection:
        for _, definition in made:
            connection.exec_driver_sql(definition)
        connection.exec_driver_sql("ANALYZE")
    if dialect == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
    engine.dispose()
    return time.monotonic() - start


def _indices(connection: Connection) -> list[tuple[str, str]]:
    """Return the indices of the two large tables that are no key, with what makes them."""
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
            "AND tbl_name IN ('violations', 'events')"
        ).all()
    else:
        found = connection.exec_driver_sql(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename IN ('violations', 'events') AND indexdef NOT LIKE 'CREATE UNIQUE%%'"
        ).all()
    return [(name, definition.replace(" ON ONLY ", " ON ")) for name, definition in found]


def measured(read: Callable[[], object], times: int) -> tuple[float, float]:
    """Return median and maximum of some reads, ms."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        read()
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took), max(took)


def index_of(store: Store, statement: Any) -> str:
    """Return which index of violations a statement takes, or that it reads all."""
    with store.reading() as connection:
        explain = "EXPLAIN " + ("QUERY PLAN " if connection.dialect.name == "sqlite" else "")
        compiled = statement.compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        rows = connection.exec_driver_sql(explain + str(compiled).replace("%", "%%")).all()
    plan = " ".join(str(row) for row in rows)
    found = re.search(r"(?:Index Scan(?: Backward)? using|on|INDEX) (violations_\w+)", plan)
    return found[1] if found else "none"


def measure(store: Store, rows: int, times: int) -> Iterator[str]:
    """Yield the lines of the table."""
    middle = encode((BEGIN + SPAN / 2, "s0", "b0", ""))
    yield "| filter | page | index | median ms | longest ms |"
    yield "|---|---|---|---|---|"
    for given in FILTERS:
        wanted = filters.read(given)
        words = ", ".join(f"{name} {value}" for name, value in given.items()) or "none"
        for name, after in (("first", None), ("behind half", middle)):
            if after and "since" in given:
                continue

            def read(after: str | None = after, wanted: Wanted = wanted) -> object:
                with store.reading() as connection:
                    return violations.page(connection, wanted, after)

            median, longest = measured(read, times)
            index = index_of(store, violations.statement_of(wanted, after).limit(51))
            yield f"| {words} | {name} | `{index}` | {median:.1f} | {longest:.1f} |"

    def by_offset() -> object:
        with store.reading() as connection:
            statement = violations.statement_of(filters.read({})).limit(51).offset(rows // 2)
            return connection.execute(statement).all()

    median, longest = measured(by_offset, 1)
    yield f"| none | behind half, by OFFSET | | {median:.0f} | {longest:.0f} |"
    yield from others(store, times)


def others(store: Store, times: int) -> Iterator[str]:
    """Yield the lines of what is read besides."""

    def rate() -> object:
        with store.reading() as connection:
            return rates.read(connection, BEGIN + SPAN / 2, BEGIN + SPAN / 2 + timedelta(days=30))

    def offered() -> object:
        with store.reading() as connection:
            return violations.choices(connection, table.c["class"])

    def day() -> object:
        with store.reading() as connection:
            return timeline.read(connection, "s7", "b57", BEGIN + SPAN / 2, BEGIN + SPAN)

    for name, read in (
        ("rates of 30 days", rate),
        ("values offered for a filter", offered),
        ("a box's day, and what went on from before", day),
    ):
        median, longest = measured(read, times)
        yield f"| {name} | | | {median:.1f} | {longest:.1f} |"


@contextmanager
def somewhere(database: str) -> Iterator[Place]:
    """Yield a place for a log, which is deleted at the end."""
    if database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "log.db"
        return
    options = (
        *FAST,
        *("shared_buffers=512MB", "maintenance_work_mem=512MB", "max_wal_size=8GB"),
        *("wal_level=minimal", "max_wal_senders=0"),
    )
    server = PostgreSQL(options=options).start()
    try:
        yield server.empty()
    finally:
        server.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--times", type=int, default=20, help="Each page is read so often")
    given = parser.parse_args()
    with somewhere(given.database) as place:
        took_s = fill(place, given.rows)
        print(f"{given.rows} violations in {given.database}, filled in {took_s:.0f} s\n")  # noqa: T201
        store = Store(place, patience_s=600)
        for line in measure(store, given.rows, given.times):
            print(line, flush=True)  # noqa: T201
        store.close()


if __name__ == "__main__":
    main()
