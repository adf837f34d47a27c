"""What the commands read from the log: each query with its columns, in the order of the output."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, ScalarSelect, Select, Table, func, select

from cleandesk.contract.messages import timestamp
from cleandesk_fleet.subscriber.tables import (
    alarms,
    appeals,
    boxes,
    deleted_stills,
    deletions,
    epochs,
    events,
    losses,
    meta,
    quarantine,
    stills,
    violations,
)

Row = dict[str, Any]

_BEYOND = {"length": "overlong", "count": "too many"}
_CORNERS = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True)
class View:
    """Columns of an output: those for people, and all of them in the same order."""

    columns: tuple[str, ...]
    every: tuple[str, ...]


def _view(columns: str, *tables: Table, more: tuple[str, ...] = (), less: str = "") -> View:
    shown = tuple(columns.split())
    names = [column.name for table in tables for column in table.columns]
    hidden = {*shown, *less.split(), *_CORNERS}
    return View(shown, (*shown, *(name for name in [*names, *more] if name not in hidden)))


VIOLATIONS = _view(
    "opened_at closed_at dwell_s reason rule class zone severity score site box replayed appealed "
    "still",
    violations,
    more=("place", "appealed", "still"),
)
EVENTS = _view(
    "at phase reason rule class zone severity score dwell_s site box seq replayed",
    events,
    more=("place",),
    less="payload",
)
APPEALS = _view(
    "at reason note violation_id rule class opened_at site box",
    appeals,
    more=("rule", "class", "opened_at"),
    less="id payload",
)
STILLS = _view(
    "received_at delete_at still_id violation_id rule class media_type size sha256 site box",
    stills,
    more=("rule", "class", "opened_at"),
    less="id",
)
DELETED_STILLS = _view(
    "received_at delete_at deleted_at file_gone still_id violation_id size sha256 site box",
    deleted_stills,
    less="id",
)
ALARMS = _view("opened_at closed_at kind site box subject detail times", alarms)
QUARANTINE = _view("received_at result deliveries size topic reason", quarantine)
LOSSES = _view("reported_at site box epoch first last reason", losses)
DELETIONS = _view(
    "deleted_at what how received_before first_received last_received rows left",
    deletions,
    less="id",
)
BOXES = _view(
    "site box status privacy about idle last_seen top missing outbox_depth outbox_lost alarms "
    "version",
    boxes,
    more=("about", "top", "missing", "alarms"),
    less="health health_boot",
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; None does not restrict. `since` and `until` are about when it opened."""

    site: str | None = None
    box: str | None = None
    rule: str | None = None
    class_name: str | None = None
    severity: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    open_only: bool = False
    limit: int | None = None


def find_violations(
    connection: Connection, wanted: Filter, touched_after: int | None = None
) -> Iterator[Row]:
    """Yield violations, the newest last.

    Args:
        connection: To the log.
        wanted: What to show.
        touched_after: Only those with an event of a higher id.
    """
    shown = (
        _newest(appeals, appeals.c.reason).label("appealed"),
        _newest(stills, stills.c.delete_at).label("still_until"),
        _newest(deleted_stills, deleted_stills.c.deleted_at).label("still_deleted"),
    )
    statement = _filtered(select(violations, *shown), violations, wanted, violations.c.opened_at)
    if wanted.open_only:
        statement = statement.where(violations.c.closed_at.is_(None))
    if touched_after is not None:
        touched = select(events.c.violation_id).where(events.c.id > touched_after)
        statement = statement.where(violations.c.violation_id.in_(touched))
    columns = violations.c
    for row in _newest_last(
        connection, statement, wanted.limit, columns.opened_at, columns.violation_id
    ):
        yield row | {"still": _about_still(row.pop("still_until"), row.pop("still_deleted"))}


def find_events(connection: Connection, wanted: Filter, after: int | None = None) -> Iterator[Row]:
    """Yield events in the order in which they were logged, without their raw bytes.

    Args:
        connection: To the log.
        wanted: What to show.
        after: Only those with a higher id.
    """
    columns = [column for column in events.c if column.name != "payload"]
    statement = _filtered(select(*columns), events, wanted, events.c.at)
    if after is not None:
        statement = statement.where(events.c.id > after)
    yield from _newest_last(connection, statement, wanted.limit, events.c.id)


def last_event_id(connection: Connection) -> int:
    """Return the id of the event that was logged last; 0 if there is none."""
    return connection.scalar(select(func.max(events.c.id))) or 0


def counter(connection: Connection, name: str) -> int:
    """Return a count that the log keeps; 0 if nothing was counted."""
    return int(connection.scalar(select(meta.c.value).where(meta.c.name == name)) or 0)


def find_appeals(connection: Connection, wanted: Filter) -> Iterator[Row]:
    """Yield appeals, the newest last, with what is logged of the violation."""
    columns = [column for column in appeals.c if column.name not in {"id", "payload"}]
    about = [violations.c[name] for name in ("rule", "class", "opened_at")]
    statement = select(*columns, *about).outerjoin(
        violations,
        (violations.c.site == appeals.c.site)
        & (violations.c.box == appeals.c.box)
        & (violations.c.violation_id == appeals.c.violation_id),
    )
    statement = _of_box(statement, appeals, wanted)
    yield from _newest_last(connection, statement, wanted.limit, appeals.c.id)


def find_stills(connection: Connection, wanted: Filter) -> Iterator[Row]:
    """Yield stills that are kept, the newest last, with what is logged of the violation."""
    columns = [column for column in stills.c if column.name != "id"]
    about = [violations.c[name] for name in ("rule", "class", "opened_at")]
    statement = select(*columns, *about).outerjoin(
        violations,
        (violations.c.site == stills.c.site)
        & (violations.c.box == stills.c.box)
        & (violations.c.violation_id == stills.c.violation_id),
    )
    statement = _of_box(statement, stills, wanted)
    yield from _newest_last(connection, statement, wanted.limit, stills.c.id)


def find_deleted_stills(connection: Connection, wanted: Filter) -> Iterator[Row]:
    """Yield the proof of each still that was deleted after its time, the newest last."""
    columns = [column for column in deleted_stills.c if column.name != "id"]
    statement = _of_box(select(*columns), deleted_stills, wanted)
    yield from _newest_last(connection, statement, wanted.limit, deleted_stills.c.id)


def find_alarms(connection: Connection, wanted: Filter, kind: str | None = None) -> Iterator[Row]:
    """Yield alarms, the newest last."""
    statement = _of_box(select(alarms), alarms, wanted)
    if kind is not None:
        statement = statement.where(alarms.c.kind == kind)
    if wanted.open_only:
        statement = statement.where(alarms.c.closed_at.is_(None))
    yield from _newest_last(connection, statement, wanted.limit, alarms.c.id)


def find_quarantined(connection: Connection, wanted: Filter) -> Iterator[Row]:
    """Yield what could not be logged, the newest last; `payload` is its beginning, as text."""
    statement = _of_box(select(quarantine), quarantine, wanted)
    for row in _newest_last(connection, statement, wanted.limit, quarantine.c.id):
        yield row | {"payload": row["payload"].decode("utf-8", "backslashreplace")}


def find_losses(connection: Connection, wanted: Filter) -> Iterator[Row]:
    """Yield ranges of events that will never come, the newest last."""
    statement = _of_box(select(losses), losses, wanted)
    yield from _newest_last(
        connection, statement, wanted.limit, losses.c.reported_at, losses.c.first
    )


def find_deletions(connection: Connection, wanted: Filter) -> Iterator[Row]:
    """Yield the proof of what was deleted after its time, the newest last."""
    yield from _newest_last(connection, select(deletions), wanted.limit, deletions.c.id)


def find_boxes(connection: Connection, wanted: Filter) -> Iterator[Row]:
    """Yield boxes by name, with the numbers of their present epoch and their open alarms."""
    open_alarms = (
        select(func.count())
        .where(
            alarms.c.site == boxes.c.site,
            alarms.c.box == boxes.c.box,
            alarms.c.closed_at.is_(None),
        )
        .scalar_subquery()
    )
    columns = [c for c in boxes.c if c.name not in {"health", "health_boot"}]
    statement = (
        select(*columns, epochs.c.top, epochs.c.missing, open_alarms.label("alarms"))
        .outerjoin(
            epochs,
            (epochs.c.site == boxes.c.site)
            & (epochs.c.box == boxes.c.box)
            & (epochs.c.epoch == boxes.c.epoch),
        )
        .order_by(boxes.c.site, boxes.c.box)
    )
    for row in connection.execute(_of_box(statement, boxes, wanted).limit(wanted.limit)):
        values = dict(row._mapping)  # noqa: SLF001 - public by SQLAlchemy's documentation
        yield values | {"about": _about_privacy(values)}


def _newest(table: Table, column: Column[Any]) -> ScalarSelect[Any]:
    """Return the newest value that a table has of a violation."""
    same = (table.c[name] == violations.c[name] for name in ("site", "box", "violation_id"))
    statement = select(column).where(*same).order_by(table.c.id.desc()).limit(1)
    return statement.scalar_subquery()


def _about_still(until: datetime | None, deleted: datetime | None) -> str | None:
    """Say whether a violation has a picture, until when, or when it was deleted."""
    if until is not None:
        return f"until {timestamp(until)}"
    return None if deleted is None else f"deleted {timestamp(deleted)}"


def _about_privacy(row: Row) -> str | None:
    """Return why a box does not look, and which limits a break goes beyond, for people."""
    beyond = [_BEYOND.get(limit, limit) for limit in (row["privacy_beyond"] or "").split()]
    return ", ".join([*filter(None, [row["privacy_reason"]]), *beyond]) or None


def _filtered(statement: Select[Any], table: Table, wanted: Filter, moment: Any) -> Select[Any]:
    statement = _of_box(statement, table, wanted)
    for name, value in (
        ("rule", wanted.rule),
        ("class", wanted.class_name),
        ("severity", wanted.severity),
    ):
        if value is not None:
            statement = statement.where(table.c[name] == value)
    if wanted.since is not None:
        statement = statement.where(moment >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(moment < wanted.until)
    return statement


def _of_box(statement: Select[Any], table: Table, wanted: Filter) -> Select[Any]:
    if wanted.site is not None:
        statement = statement.where(table.c.site == wanted.site)
    if wanted.box is not None:
        statement = statement.where(table.c.box == wanted.box)
    return statement


def _newest_last(
    connection: Connection, statement: Select[Any], limit: int | None, *order: Any
) -> Iterator[Row]:
    if limit is None:
        result = connection.execute(
            statement.order_by(*order), execution_options={"yield_per": 1000}
        )
        rows = iter(result)
    else:
        newest = connection.execute(
            statement.order_by(*(column.desc() for column in order)).limit(limit)
        )
        rows = iter(reversed(newest.all()))
    for row in rows:
        values = dict(row._mapping)  # noqa: SLF001 - public by SQLAlchemy's documentation
        if "x1" in values:
            values["place"] = [values.pop(corner) for corner in _CORNERS]
        yield values
