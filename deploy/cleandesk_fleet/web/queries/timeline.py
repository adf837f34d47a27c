"""A box's day: what was logged of it, in the order in which it happened."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from cleandesk_fleet.subscriber.tables import alarms, appeals, losses, violations
from cleandesk_fleet.web.queries.strip import Span, lanes

Row = dict[str, Any]

#: So many of each kind are shown of one day.
MOST = 300
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
    """A day, the newest entry first.

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
        statement: Select[Any] = select(table).where(
            table.c.site == site,
            table.c.box == box,
            table.c[moment] >= start,
            table.c[moment] < end,
        )
        newest_first = statement.order_by(table.c[moment].desc()).limit(MOST + 1)
        rows = [row._asdict() for row in connection.execute(newest_first)]
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
