"""What one of several subscribers judges for all, from the log that they share."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, select, true

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.alarms import Alarms, Kind
from cleandesk_fleet.subscriber.database import bulk
from cleandesk_fleet.subscriber.rows import box_key
from cleandesk_fleet.subscriber.sequences import Numbered, Sequences
from cleandesk_fleet.subscriber.tables import alarms, boxes, gaps
from cleandesk_fleet.subscriber.transaction import about_gaps

_BOX = ("site", "box")
#: So many old gaps are told in one turn.
_A_TURN = 500


#: Those that a subscriber logs; None: all.
Sites = Collection[str] | None


def of_sites(column: ColumnElement[str], sites: Sites) -> ColumnElement[bool]:
    """Return the condition that a row is of one of these sites."""
    return true() if sites is None else column.in_(sites)


def known_silent(connection: Connection, sites: Sites) -> list[Address]:
    """Return the boxes of these sites whose silence was told."""
    rows = connection.execute(
        select(alarms.c.site, alarms.c.box).where(
            _told(Kind.SILENT), of_sites(alarms.c.site, sites)
        )
    )
    return [Address(row.site, row.box) for row in rows]


def close_heard(connection: Connection, raised: Alarms, sites: Sites) -> list[Address]:
    """End the silence of boxes that another subscriber has heard since; return them."""
    mine = and_(*(boxes.c[name] == alarms.c[name] for name in _BOX))
    rows = connection.execute(
        select(alarms.c.site, alarms.c.box)
        .join(boxes, mine)
        .where(
            _told(Kind.SILENT),
            of_sites(alarms.c.site, sites),
            boxes.c.last_seen > alarms.c.opened_at,
        )
    )
    heard = [Address(row.site, row.box) for row in rows]
    for address in heard:
        raised.close(Kind.SILENT, address)
    return heard


def unheard(
    connection: Connection, addresses: Collection[Address], since: datetime
) -> list[Address]:
    """Return those of some boxes of which no other subscriber has heard either."""
    keys = [box_key(address) for address in addresses]
    rows = bulk.find(connection, boxes, _BOX, keys, columns=(*_BOX, "last_seen"))
    heard = {Address(row.site, row.box) for row in rows if row.last_seen and row.last_seen >= since}
    return [address for address in addresses if address not in heard]


def tell_old_gaps(
    connection: Connection, raised: Alarms, now: datetime, gap_after: timedelta, sites: Sites
) -> None:
    """Open an alarm for each epoch with a gap that nobody has filled in time."""
    told = select(alarms.c.id).where(
        _told(Kind.GAP),
        alarms.c.site == gaps.c.site,
        alarms.c.box == gaps.c.box,
        alarms.c.subject == gaps.c.epoch,
    )
    rows = connection.execute(
        select(gaps.c.site, gaps.c.box, gaps.c.epoch)
        .where(gaps.c.noted_at <= now - gap_after, of_sites(gaps.c.site, sites), ~told.exists())
        .distinct()
        .limit(_A_TURN)
    ).all()
    old = [Numbered(Address(row.site, row.box), row.epoch) for row in rows]
    # Whoever fills one waits, or has committed: what is seen now holds until the alarm is open.
    bulk.lock(connection, boxes, _BOX, {box_key(one.address) for one in old})
    sequences = Sequences(connection, now, {one: [] for one in old})
    for one in old:
        sequence = sequences.of(one.address, one.epoch)
        if sequence.missing:
            raised.open(Kind.GAP, one.address, one.epoch, about_gaps(sequence))


def _told(kind: Kind) -> ColumnElement[bool]:
    return and_(alarms.c.kind == kind.value, alarms.c.closed_at.is_(None))
