"""What is kept for a time only: events and all that hangs on them; deleted, with proof."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

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


class Months:
    """Deletes events of PostgreSQL by whole months, when the last of them has had its time."""

    def __init__(self) -> None:
        self._passed = self._next = ("", 0)

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
        self._next = self._passed
        for partition in partitions.ended(connection, before)[:1]:
            if not self._delete_violations(connection, partition):
                proof = _drop(connection, partition, before)
                return _entered(connection, [proof] if proof else [], now), True
            return [], True
        return [], False

    def committed(self) -> None:
        """Go on after the part that is deleted for certain only now."""
        self._passed = self._next

    def _delete_violations(self, connection: Connection, partition: str) -> bool:
        """Delete those of the next events that have no event elsewhere; say whether there were any.

        Which ones are next is forgotten by a restart: then it begins anew, with less to do.
        """
        known, passed = self._passed
        some = connection.execute(
            text(
                f"SELECT id, {', '.join(_VIOLATION)} FROM {partition} "  # noqa: S608 - our own names
                "WHERE id > :passed ORDER BY id LIMIT :most"
            ),
            {"passed": passed if known == partition else 0, "most": _A_TURN},
        ).all()
        if not some:
            return False
        # Whoever adds an event to one of them waits, or has committed.
        bulk.lock(connection, boxes, ("site", "box"), {(row.site, row.box) for row in some})
        month = partitions.month_in(partition)
        keys = {tuple(row[1:]) for row in some}
        bulk.delete(
            connection, violations, _VIOLATION, keys, where=_NO_EVENT_BUT_OF_MONTH, month=month
        )
        self._next = (partition, some[-1].id)
        return True


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


def _drop(connection: Connection, partition: str, before: datetime) -> Row | None:
    whole = connection.execute(
        text(f"SELECT min(received_at), max(received_at), count(*) FROM {partition}")  # noqa: S608 - a name of our own making
    ).one()
    partitions.drop(connection, partition)
    if not whole[2]:
        return None
    left = connection.scalar(
        select(func.count()).where(events.c.received_at.between(whole[0], whole[1]))
    )
    return _proof(events, f"partition {partition} dropped", before, whole, left)


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
