"""A box's day: what was logged of it, in the order in which it happened."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from cleandesk_fleet.subscriber.tables import alarms, appeals, losses, violations
from cleandesk_fleet.web.queries.strip import Span, lanes

Row = dict[str, Any]

#: So many of each kind are shown of one day.
MOST = 300
#: Of what began before a day, a box's newest so many are asked whether they went on in it: its
#: index is in the order in which they began, and no day may read all that came before it.
LOOK_BACK = 1000
_DAY = timedelta(days=1)
#: What a box dates before that, its clock did, or somebody who would have its page show nothing.
_OLDEST = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened.

    Attributes:
        kind: `violation`, `alarm`, `appeal` or `loss`.
        until: When it ended; None while it goes on, or if it took no time.
        row: What is logged.
    """

    kind: str
    at: datetime
    until: datetime | None
    row: Row


@dataclass(frozen=True, slots=True)
class Day:
    """A day with all that lasted in it, the newest entry first.

    Attributes:
        cut: Whether there is more than is shown.
        lanes: The violations of the day for a drawing.
    """

    start: datetime
    entries: list[Entry]
    cut: bool
    lanes: list[tuple[str, list[Span]]]

    @property
    def end(self) -> datetime:
        """When the next one begins."""
        return self.start + _DAY


def newest_day(connection: Connection, site: str, box: str, now: datetime) -> datetime:
    """Return the day of a box's newest violation or alarm; today, if there is none.

    What it dates in the future is not of the newest day: nobody would find the others.
    """
    moments = [
        connection.scalar(
            select(func.max(table.c.opened_at)).where(
                table.c.site == site,
                table.c.box == box,
                table.c.opened_at.between(now - _OLDEST, now),
            )
        )
        for table in (violations, alarms)
    ]
    newest = max((moment for moment in moments if moment is not None), default=now)
    return start_of(newest)


def start_of(moment: datetime) -> datetime:
    """Return when a moment's day began, in UTC."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def read(connection: Connection, site: str, box: str, start: datetime, now: datetime) -> Day:
    """Return a day of a box.

    Args:
        connection: To the log.
        site: Its site.
        box: The box.
        start: When the day begins.
        now: Until then what is open goes on.
    """
    end = start + _DAY
    found: list[Entry] = []
    cut = False
    for kind, table, moment, until in (
        ("violation", violations, "opened_at", "closed_at"),
        ("alarm", alarms, "opened_at", "closed_at"),
        ("appeal", appeals, "at", None),
        ("loss", losses, "reported_at", None),
    ):
        statements = [begun(table, moment, site, box, start)]
        if until:
            statements.append(gone_on(table, site, box, start, now))
        rows = [
            row._asdict()
            for statement in statements
            for row in connection.execute(statement.limit(MOST + 1))
        ]
        cut = cut or len(rows) > MOST
        found += [
            Entry(kind, row[moment], row[until] if until else None, row) for row in rows[:MOST]
        ]
    drawn = [
        (one.row["class"], one.at, one.until or min(now, end))
        for one in found
        if one.kind == "violation"
    ]
    return Day(
        start, sorted(found, key=lambda one: one.at, reverse=True), cut, lanes(drawn, start, _DAY)
    )


def begun(table: Table, moment: str, site: str, box: str, start: datetime) -> Select[Any]:
    """Return what finds all that began on a day, the newest first."""
    at = table.c[moment]
    return (
        select(table)
        .where(table.c.site == site, table.c.box == box, at >= start, at < start + _DAY)
        .order_by(at.desc())
    )


def gone_on(table: Table, site: str, box: str, start: datetime, now: datetime) -> Select[Any]:
    """Return what finds all that began before a day and went on in it, the newest first.

    What is open goes on until now, and not into days to come.
    """
    newest = (
        select(table)
        .where(table.c.site == site, table.c.box == box, table.c.opened_at < start)
        .order_by(table.c.opened_at.desc())
        .limit(LOOK_BACK)
        .subquery()
    )
    lasts = newest.c.closed_at >= start
    if start <= now:
        lasts |= newest.c.closed_at.is_(None)
    return select(newest).where(lasts).order_by(newest.c.opened_at.desc())
