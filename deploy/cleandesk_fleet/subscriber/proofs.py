"""The proof of a deletion: what went, and how much of what should be gone was left."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, and_, exists, func, select

from cleandesk_fleet.subscriber.notices.table import notices
from cleandesk_fleet.subscriber.rows import Row
from cleandesk_fleet.subscriber.tables import (
    UNCOUNTED,
    alarms,
    appeals,
    deleted_stills,
    deletions,
    epochs,
    events,
    losses,
    quarantine,
    violations,
)

log = logging.getLogger(__name__)

#: By when something is old.
_MOMENTS: dict[str, Column[datetime]] = {
    moment.table.name: moment
    for moment in (
        alarms.c.closed_at,
        appeals.c.received_at,
        deleted_stills.c.deleted_at,
        events.c.received_at,
        losses.c.reported_at,
        notices.c.received_at,
        quarantine.c.received_at,
    )
}
_TOLD = ("what", "how", "rows")
_EPOCH = ("site", "box", "epoch")
_VIOLATION = ("site", "box", "violation_id")
#: So many violations are held against their events, those first that opened first: boxes without a
#: clock make any number that seem old.
_MOST_VIOLATIONS = 50_000


@dataclass(frozen=True, slots=True)
class Turn:
    """What one transaction deleted.

    Attributes:
        proofs: The lines that were entered.
        over: The tables of which nothing more is to go at present, so that what is left is told.
        more: Whether there is more to delete.
    """

    proofs: Sequence[Row] = ()
    over: Collection[str] = field(default_factory=frozenset)
    more: bool = False


def is_old(moment: Column[datetime], before: datetime) -> ColumnElement[bool]:
    """Say of which rows the time is over.

    Numbers up to an epoch's top are never missed again once a loss has explained them. Of those
    above it only the loss tells: without it they would be lost anew with the box's next word, or
    a gap.
    """
    if moment.table is not losses:
        return moment < before
    same = and_(*(epochs.c[name] == losses.c[name] for name in _EPOCH))
    return and_(moment < before, exists().where(same, epochs.c.top >= losses.c.last))


def proof(table: Table, how: str, before: datetime, whole: Sequence[object]) -> list[Row]:
    """Return the proof of a part that is deleted; none if nothing was.

    Args:
        table: What it was a part of.
        how: How it went.
        before: What came before should be gone.
        whole: When the first of them came, when the last, and how many there were.
    """
    first, last, rows = whole
    if not rows:
        return []
    return [
        {
            "what": table.name,
            "how": how,
            "received_before": before,
            "first_received": first,
            "last_received": last,
            "rows": rows,
        }
    ]


def entered(connection: Connection, proofs: Sequence[Row], now: datetime) -> list[Row]:
    """Enter proofs, in the transaction of the deletion; what is left is counted after it."""
    rows = [one | {"deleted_at": now} for one in proofs]
    if rows:
        connection.execute(deletions.insert(), rows)
    return rows


def tell(proofs: Sequence[Row]) -> None:
    """Log what was deleted, after the commit."""
    for one in proofs:
        log.info("deleted after its time", extra={name: one[name] for name in _TOLD})


def count_left(connection: Connection, over: Collection[str]) -> dict[str, int]:
    """Count what is there still of what should be gone, and enter it; return it by table.

    It belongs into a transaction of its own, after that of the deletion: it sees what is so. Lines
    that a kill left without a count get theirs with the next ones.

    Args:
        connection: To the log.
        over: The tables of which nothing more is to go at present. Of others the rest goes in the
            next turns, and their lines stay without a count until then.
    """
    newest = func.max(deletions.c.received_before)
    lines = connection.execute(
        select(deletions.c.what, newest)
        .where(UNCOUNTED, deletions.c.what.in_(over))
        .group_by(deletions.c.what)
    ).all()
    found: dict[str, int] = {}
    for what, before in lines:
        found[what] = connection.scalar(_left(what, before)) or 0
        connection.execute(
            deletions.update().where(UNCOUNTED, deletions.c.what == what).values(left=found[what])
        )
    return found


def tell_left(found: dict[str, int]) -> None:
    """Log where something is left."""
    for what, left in found.items():
        if left:
            log.error(
                "what had its time is still there after its deletion; it is tried again, and if "
                "it stays, look for who else writes these rows or keeps them from going",
                extra={"what": what, "left": left},
            )


def _left(what: str, before: datetime) -> Select[tuple[int]]:
    if what != violations.name:
        return select(func.count()).where(is_old(_MOMENTS[what], before))
    columns = [violations.c[name] for name in _VIOLATION]
    oldest = (
        select(*columns)
        .where(violations.c.opened_at < before)
        .order_by(violations.c.opened_at)
        .limit(_MOST_VIOLATIONS)
        .subquery()
    )
    same = and_(*(events.c[name] == oldest.c[name] for name in _VIOLATION))
    return select(func.count()).select_from(oldest).where(~exists().where(same))
