"""What is kept for a time only: events and all that hangs on them; deleted, with proof."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import (
    Column,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    select,
    text,
)

from cleandesk_fleet.subscriber.database import bulk, partitions
from cleandesk_fleet.subscriber.notices.table import notices
from cleandesk_fleet.subscriber.rows import Row
from cleandesk_fleet.subscriber.tables import (
    alarms,
    appeals,
    boxes,
    deletions,
    events,
    quarantine,
    violations,
)

log = logging.getLogger(__name__)

#: So many rows go in one transaction, so that what arrives does not wait for long.
_A_TURN = 2000
_VIOLATION = ("site", "box", "violation_id")
_SAME = and_(*(events.c[name] == violations.c[name] for name in _VIOLATION))
#: A violation goes with its last event.
_NO_EVENT = ~exists().where(_SAME)
_NO_EVENT_BUT_OF_MONTH = ~exists().where(
    _SAME, literal_column(f"{partitions.EVENTS}.{partitions.MONTH}") != bindparam("month")
)


def delete_old(connection: Connection, now: datetime, keep: timedelta) -> list[Row]:
    """Delete a bounded part of what came before its time; return the proof of each part.

    What is `left` of a part is counted after its deletion, in the same transaction. On PostgreSQL
    events go by `Months`.
    """
    before = now - keep
    moments = [table.c.received_at for table in (appeals, notices, quarantine)]
    # Of a box that was silent or off each evening they tell when somebody was at work.
    moments.append(alarms.c.closed_at)
    if connection.dialect.name != "postgresql":
        moments.append(events.c.received_at)
    proofs = [_delete(connection, moment, before) for moment in moments]
    return _entered(connection, [proof for proof in proofs if proof], now)


@dataclass(frozen=True, slots=True)
class _Walk:
    """How far a month's events were walked, and what was counted on the way.

    The month is over, and events are logged under the present one: nothing is added to what was
    walked. So nobody counts it again, however often its deletion must wait.
    """

    partition: str = ""
    passed: int = 0
    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def on(self, some: Sequence[Any]) -> Self:
        """Return the walk after these rows more, the next ones by id."""
        moments = [row.received_at for row in some]
        return replace(
            self,
            passed=some[-1].id,
            rows=self.rows + len(some),
            first=min([*moments, *filter(None, [self.first])]),
            last=max([*moments, *filter(None, [self.last])]),
        )


class Months:
    """Deletes events of PostgreSQL by whole months, when the last of them has had its time."""

    def __init__(self) -> None:
        self._walk = self._next = _Walk()

    def delete_old(
        self, connection: Connection, now: datetime, keep: timedelta
    ) -> tuple[list[Row], bool]:
        """Go on with the oldest month that is over: its violations a part at a time, then itself.

        `committed` belongs after the commit. Without it the same part comes again.

        Returns:
            The proof, once it is gone; and whether there is more to do.

        Raises:
            OperationalError: If somebody reads events; try again later.
        """
        before = now - keep
        self._next = self._walk
        for partition in partitions.ended(connection, before)[:1]:
            if self._walk.partition != partition:
                self._next = _Walk(partition)
            if some := self._coming(connection):
                self._delete_violations(connection, some)
                return [], True
            partitions.lock(connection, partition)
            if self._coming(connection):
                # By a clock that is a month behind. Who writes it may hold the box, and waits for
                # us: we let go, and walk on in the next turn.
                return [], True
            partitions.drop(connection, partition)
            proof = _proof_of_month(connection, self._next, before)
            self._next = _Walk()
            return _entered(connection, [proof] if proof else [], now), True
        return [], False

    def committed(self) -> None:
        """Go on after the part that is deleted for certain only now."""
        self._walk = self._next

    def _coming(self, connection: Connection) -> Sequence[Any]:
        """Return the next events of the month.

        Which ones are next is forgotten by a restart: then it begins anew, with less to do.
        """
        return connection.execute(
            text(
                f"SELECT id, received_at, {', '.join(_VIOLATION)} "  # noqa: S608 - our own names
                f"FROM {self._next.partition} WHERE id > :passed ORDER BY id LIMIT :most"
            ),
            {"passed": self._next.passed, "most": _A_TURN},
        ).all()

    def _delete_violations(self, connection: Connection, some: Sequence[Any]) -> None:
        """Delete those of some events that have no event elsewhere."""
        keys = {(row.site, row.box, row.violation_id) for row in some}
        # Whoever adds an event to one of them waits, or has committed.
        bulk.lock(connection, boxes, ("site", "box"), {key[:2] for key in keys})
        month = partitions.month_in(self._next.partition)
        bulk.delete(
            connection, violations, _VIOLATION, keys, where=_NO_EVENT_BUT_OF_MONTH, month=month
        )
        self._next = self._next.on(some)


def _entered(connection: Connection, proofs: Sequence[Row], now: datetime) -> list[Row]:
    rows = [proof | {"deleted_at": now} for proof in proofs]
    if rows:
        connection.execute(deletions.insert(), rows)
    return rows


def tell(proofs: Sequence[Row]) -> None:
    """Log what was deleted, after the commit."""
    for proof in proofs:
        log.info(
            "deleted after its time",
            extra={name: proof[name] for name in ("what", "how", "rows", "left")},
        )


def _proof_of_month(connection: Connection, walk: _Walk, before: datetime) -> Row | None:
    """Return the proof of a month that was dropped, of what was counted on the walk through it."""
    if not walk.rows:
        return None
    whole = (walk.first, walk.last, walk.rows)
    left = connection.scalar(
        select(func.count()).where(events.c.received_at.between(walk.first, walk.last))
    )
    return _proof(events, f"partition {walk.partition} dropped", before, whole, left)


def _delete(connection: Connection, moment: Column[datetime], before: datetime) -> Row | None:
    table, old = moment.table, moment < before
    rows = connection.execute(
        select(table.c.id, moment).where(old).order_by(moment).limit(_A_TURN)
    ).all()
    if not rows:
        return None
    ids = [row.id for row in rows]
    bounds = and_(old, table.c.id.in_(ids))
    if table is events:
        columns = (events.c[name] for name in _VIOLATION)
        touched = {tuple(r) for r in connection.execute(select(*columns).where(bounds).distinct())}
        connection.execute(delete(events).where(bounds))
        bulk.delete(connection, violations, _VIOLATION, touched, where=_NO_EVENT)
    else:
        connection.execute(delete(table).where(bounds))
    left = connection.scalar(select(func.count()).where(table.c.id.in_(ids)))
    return _proof(table, "rows deleted", before, (rows[0][1], rows[-1][1], len(rows)), left)


def _proof(
    table: Table, how: str, before: datetime, whole: Sequence[object], left: int | None
) -> Row:
    first, last, rows = whole
    return {
        "what": table.name,
        "how": how,
        "received_before": before,
        "first_received": first,
        "last_received": last,
        "rows": rows,
        "left": left,
    }
