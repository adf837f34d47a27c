"""Violations: pages of them by key, and all that is logged of one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, ScalarSelect, Select, Table, select, tuple_

from cleandesk_fleet.subscriber.tables import appeals, deleted_stills, events, stills, violations
from cleandesk_fleet.web.errors import NotFoundError
from cleandesk_fleet.web.queries.filters import Wanted
from cleandesk_fleet.web.queries.paging import Page, cut, decode
from cleandesk_fleet.web.tables import decisions

Row = dict[str, Any]

SHOWN = 50
_KEY = ("opened_at", "site", "box", "violation_id")
_SAME = ("site", "box", "violation_id")
#: So many events of one violation are shown; a box may send any number.
_MOST_EVENTS = 200
#: So many values of a filter are offered.
_MOST_CHOICES = 50


@dataclass(frozen=True, slots=True)
class Violation:
    """All that is logged of one violation.

    Attributes:
        appeals: With the newest decision about each of them, and the older ones.
    """

    row: Row
    events: Sequence[Row]
    appeals: Sequence[Row]
    stills: Sequence[Row]
    deleted_stills: Sequence[Row]


def page(
    connection: Connection, wanted: Wanted, after: str | None = None, size: int = SHOWN
) -> Page[Row]:
    """Return violations, the newest first.

    Args:
        connection: To the log.
        wanted: Which ones.
        after: The key of the row before, as a page before said.
        size: At most so many.

    Raises:
        NotFoundError: If `after` is no key.
    """
    statement = statement_of(wanted, after).limit(size + 1)
    rows = [row._asdict() for row in connection.execute(statement)]
    return cut(rows, size, [rows[:size][-1][name] for name in _KEY] if rows else ())


def statement_of(wanted: Wanted, after: str | None = None) -> Select[Any]:
    """Return the statement of a page, without its limit."""
    shown = (
        _newest(appeals, appeals.c.reason).label("appealed"),
        _newest(stills, stills.c.delete_at).label("still_until"),
    )
    columns = [violations.c[name] for name in _KEY]
    statement = select(violations, *shown).where(*wanted.conditions(violations))
    if after is not None:
        key = decode(after, datetime, str, str, str)
        # The first condition alone is one that an index takes on every database.
        statement = statement.where(violations.c.opened_at <= key[0], tuple_(*columns) < key)
    return statement.order_by(*(column.desc() for column in columns))


def every(connection_of: Any, wanted: Wanted, size: int) -> Iterator[Sequence[Row]]:
    """Yield all violations, page by page, each of a moment of its own.

    Nothing is held open between them: an export may take as long as its reader likes.

    Args:
        connection_of: Returns a context with a connection to the log.
        wanted: Which ones.
        size: So many in one go.
    """
    after: str | None = None
    while True:
        with connection_of() as connection:
            found = page(connection, wanted, after, size)
        if found.rows:
            yield found.rows
        after = found.after
        if after is None:
            return


def one(connection: Connection, site: str, box: str, violation_id: str) -> Violation:
    """Return all that is logged of one.

    Raises:
        NotFoundError: If it is not logged.
    """
    key = (site, box, violation_id)
    rows = _of(connection, select(violations), violations, key)
    if not rows:
        raise NotFoundError("no such violation")
    shown = [column for column in events.c if column.name != "payload"]
    return Violation(
        rows[0],
        _of(connection, select(*shown).order_by(events.c.id).limit(_MOST_EVENTS), events, key),
        [
            row | {"decisions": decisions_on(connection, row["appeal_id"])}
            for row in _of(connection, select(appeals).order_by(appeals.c.id), appeals, key)
        ],
        _of(connection, select(stills).order_by(stills.c.id), stills, key),
        _of(connection, select(deleted_stills).order_by(deleted_stills.c.id), deleted_stills, key),
    )


def decisions_on(connection: Connection, appeal_id: str) -> Sequence[Row]:
    """Return what was decided about an appeal, the newest last."""
    statement = select(decisions).where(decisions.c.appeal_id == appeal_id)
    return [row._asdict() for row in connection.execute(statement.order_by(decisions.c.id))]


def choices(connection: Connection, column: Column[Any]) -> list[str]:
    """Return the values of a column, in order, by as many looks into its index as there are."""
    found: list[str] = []
    while len(found) < _MOST_CHOICES:
        statement = select(column).order_by(column).limit(1)
        if found:
            statement = statement.where(column > found[-1])
        value = connection.scalar(statement)
        if value is None:
            break
        found.append(value)
    return found


def of_box(wanted: Wanted, site: str, box: str) -> Wanted:
    """Return the same filters for one box."""
    return replace(wanted, site=site, box=box)


def _newest(table: Table, column: Column[Any]) -> ScalarSelect[Any]:
    same = (table.c[name] == violations.c[name] for name in _SAME)
    return select(column).where(*same).order_by(table.c.id.desc()).limit(1).scalar_subquery()


def _of(
    connection: Connection, statement: Select[Any], table: Table, key: tuple[str, ...]
) -> list[Row]:
    mine = (table.c[name] == value for name, value in zip(_SAME, key, strict=True))
    return [row._asdict() for row in connection.execute(statement.where(*mine))]
