"""What is kept for a time only: events and all that hangs on them; deleted, with proof."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import (
    Column,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    literal_column,
    select,
    text,
    tuple_,
)

from cleandesk_fleet.subscriber.database import bulk, partitions
from cleandesk_fleet.subscriber.notices.table import notices
from cleandesk_fleet.subscriber.proofs import Turn, entered, is_old, proof
from cleandesk_fleet.subscriber.rows import Row
from cleandesk_fleet.subscriber.tables import (
    alarms,
    appeals,
    boxes,
    deleted_stills,
    events,
    losses,
    quarantine,
    violations,
)

#: So many rows go in one transaction, so that what arrives does not wait for long.
_A_TURN = 2000
_VIOLATION = ("site", "box", "violation_id")
_SAME = and_(*(events.c[name] == violations.c[name] for name in _VIOLATION))
#: A violation goes with its last event.
_NO_EVENT = ~exists().where(_SAME)
_WITH_EVENTS = "deleted with their last event"
#: What is over together, once a month of PostgreSQL is gone.
_BY_MONTH = frozenset({events.name, violations.name})
_NO_EVENT_BUT_OF_MONTH = ~exists().where(
    _SAME, literal_column(f"{partitions.EVENTS}.{partitions.MONTH}") != bindparam("month")
)


def delete_old(connection: Connection, now: datetime, keep: timedelta) -> Turn:
    """Delete a bounded part of what came before its time; enter the proof of each part.

    On PostgreSQL events, and the violations with them, go by `Months`.
    """
    before = now - keep
    moments = [table.c.received_at for table in (appeals, notices, quarantine)]
    # Of a box that was silent or off each evening they tell when somebody was at work.
    moments.append(alarms.c.closed_at)
    moments += [deleted_stills.c.deleted_at, losses.c.reported_at]
    if not partitions.divided(connection):
        moments.append(events.c.received_at)
    proofs: list[Row] = []
    over: set[str] = set()
    for moment in moments:
        part = _delete(connection, moment, before)
        proofs += part
        if not part or part[0]["rows"] < _A_TURN:
            over.add(moment.table.name)
    if events.name in over:
        over.add(violations.name)
    more = any(moment.table.name not in over for moment in moments)
    return Turn(entered(connection, proofs, now), frozenset(over), more=more)


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

    def delete_old(self, connection: Connection, now: datetime, keep: timedelta) -> Turn:
        """Go on with the oldest month that is over: its violations a part at a time, then itself.

        `committed` belongs after the commit. Without it the same part comes again.

        Raises:
            OperationalError: If somebody reads events; try again later.
        """
        self._next = self._walk
        for partition in partitions.ended(connection, now - keep)[:1]:
            if self._walk.partition != partition:
                self._next = _Walk(partition)
            if some := self._coming(connection):
                proofs = self._delete_violations(connection, some)
                return Turn(entered(connection, proofs, now), more=True)
            partitions.lock(connection, partition)
            if self._coming(connection):
                # By a clock that is a month behind. Who writes it may hold the box, and waits for
                # us: we let go, and walk on in the next turn.
                return Turn(more=True)
            partitions.drop(connection, partition)
            proofs = entered(connection, _proof_of_month(self._next), now)
            self._next = _Walk()
            return Turn(proofs, _BY_MONTH, more=True)
        return Turn(over=_BY_MONTH if partitions.divided(connection) else frozenset())

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

    def _delete_violations(self, connection: Connection, some: Sequence[Any]) -> list[Row]:
        """Delete those of some events that have no event elsewhere."""
        keys = {(row.site, row.box, row.violation_id) for row in some}
        # Whoever adds an event to one of them waits, or has committed.
        bulk.lock(connection, boxes, ("site", "box"), {key[:2] for key in keys})
        partition, walk = self._next.partition, _Walk(self._next.partition).on(some)
        rows = bulk.delete(
            connection,
            violations,
            _VIOLATION,
            keys,
            where=_NO_EVENT_BUT_OF_MONTH,
            month=partitions.month_in(partition),
        )
        self._next = self._next.on(some)
        before = partitions.end_of(partition)
        return proof(violations, _WITH_EVENTS, before, (walk.first, walk.last, rows))


def _proof_of_month(walk: _Walk) -> list[Row]:
    """Return the proof of a month that was dropped, of what was counted on the walk through it."""
    how = f"partition {walk.partition} dropped"
    before = partitions.end_of(walk.partition)
    return proof(events, how, before, (walk.first, walk.last, walk.rows))


def _delete(connection: Connection, moment: Column[datetime], before: datetime) -> list[Row]:
    table, old = moment.table, is_old(moment, before)
    key = tuple_(*table.primary_key)
    rows = connection.execute(
        select(moment, *table.primary_key).where(old).order_by(moment).limit(_A_TURN)
    ).all()
    if not rows:
        return []
    bounds = and_(old, key.in_([tuple(row[1:]) for row in rows]))
    touched: set[tuple[str, ...]] = set()
    if table is events:
        columns = (events.c[name] for name in _VIOLATION)
        touched = {tuple(r) for r in connection.execute(select(*columns).where(bounds).distinct())}
    first, last = rows[0][0], rows[-1][0]
    gone = connection.execute(delete(table).where(bounds)).rowcount
    proofs = proof(table, "rows deleted", before, (first, last, gone))
    with_them = bulk.delete(connection, violations, _VIOLATION, touched, where=_NO_EVENT)
    return proofs + proof(violations, _WITH_EVENTS, before, (first, last, with_them))
