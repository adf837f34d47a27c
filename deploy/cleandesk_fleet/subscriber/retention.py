"""What is kept for a time only: events and all that hangs on them; deleted, with proof."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, and_, delete, exists, func, select, text

from cleandesk_fleet.subscriber.database import partitions
from cleandesk_fleet.subscriber.notices.table import notices
from cleandesk_fleet.subscriber.rows import Row
from cleandesk_fleet.subscriber.tables import (
    appeals,
    deletions,
    events,
    quarantine,
    violations,
)

log = logging.getLogger(__name__)

#: So many rows go in one transaction, so that what arrives does not wait for long.
_A_TURN = 2000
_VIOLATION = ("site", "box", "violation_id")


def delete_old(connection: Connection, now: datetime, keep: timedelta) -> list[Row]:
    """Delete a bounded part of what came before its time; return the proof of each part.

    On PostgreSQL events go by whole months, when the last of them has had its time. A violation
    goes with its last event. What is `left` of a part is counted after its deletion, in the same
    transaction.
    """
    before = now - keep
    proofs = [_delete(connection, table, before) for table in (appeals, notices, quarantine)]
    if connection.dialect.name == "postgresql":
        proofs += [_drop(connection, one, before) for one in partitions.ended(connection, before)]
    else:
        proofs.append(_delete(connection, events, before))
    return _entered(connection, [proof for proof in proofs if proof], now)


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
    connection.exec_driver_sql(
        f"DELETE FROM violations v USING {partition} p "  # noqa: S608 - as above
        "WHERE v.site = p.site AND v.box = p.box AND v.violation_id = p.violation_id "
        "AND NOT EXISTS (SELECT FROM events e WHERE e.site = v.site AND e.box = v.box "
        "AND e.violation_id = v.violation_id AND e.month <> p.month)"
    )
    partitions.drop(connection, partition)
    if not whole[2]:
        return None
    left = connection.scalar(
        select(func.count()).where(events.c.received_at.between(whole[0], whole[1]))
    )
    return _proof(events, f"partition {partition} dropped", before, whole, left)


def _delete(connection: Connection, table: Table, before: datetime) -> Row | None:
    old = table.c.received_at < before
    rows = connection.execute(
        select(table.c.id, table.c.received_at)
        .where(old)
        .order_by(table.c.received_at)
        .limit(_A_TURN)
    ).all()
    if not rows:
        return None
    ids = [row.id for row in rows]
    bounds = and_(old, table.c.id.in_(ids))
    if table is events:
        columns = (events.c[name] for name in _VIOLATION)
        touched = [tuple(r) for r in connection.execute(select(*columns).where(bounds).distinct())]
        connection.execute(delete(events).where(bounds))
        _delete_violations(connection, touched)
    else:
        connection.execute(delete(table).where(bounds))
    left = connection.scalar(select(func.count()).where(table.c.id.in_(ids)))
    whole = (rows[0].received_at, rows[-1].received_at, len(rows))
    return _proof(table, "rows deleted", before, whole, left)


def _delete_violations(connection: Connection, touched: Sequence[tuple[str, ...]]) -> None:
    """Delete those of which no event is left."""
    same = and_(*(events.c[name] == violations.c[name] for name in _VIOLATION))
    for key in touched:
        values = zip(_VIOLATION, key, strict=True)
        mine = and_(*(violations.c[name] == value for name, value in values))
        connection.execute(delete(violations).where(mine, ~exists().where(same)))


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
