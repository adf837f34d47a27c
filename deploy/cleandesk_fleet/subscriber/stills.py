"""Stills: each one once, kept for a bounded time beside its violation, then deleted, with proof."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select

from cleandesk.contract.messages import AckResult, AckStatus, timestamp
from cleandesk.contract.stills import StillHeaders
from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.database import bulk
from cleandesk_fleet.subscriber.intake import Rejected, StillReading, turn_away
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.rows import Row
from cleandesk_fleet.subscriber.tables import deleted_stills, stills

log = logging.getLogger(__name__)

_MOST_PARAMETERS = 500
_A_TURN = 100
#: What the proof of a deletion takes over from the row.
_PROOF = [c for c in deleted_stills.c if c.name in stills.c and c.name != "id"]


@dataclass(frozen=True, slots=True)
class Album:
    """Where stills are kept, for how long, and how many of one box at most.

    One that was made longer ago than `made_within` may have been deleted before, and the proof of
    that, too; None: proofs stay. `refuses` says why none are taken at all.
    """

    pictures: Pictures
    keep: timedelta
    of_a_box: int = 2000
    made_within: timedelta | None = None
    refuses: str | None = None


class Stills:
    """The stills of one transaction; files come before rows, so that no row is without its file."""

    def __init__(
        self,
        connection: Connection,
        arrived: Sequence[StillReading],
        now: datetime,
        album: Album,
    ) -> None:
        self._connection, self._now, self._album = connection, now, album
        self._known = self._load_known(sorted({one.headers.still_id for one in arrived}))
        self._kept = {address: self._count(address) for address in {one.address for one in arrived}}
        self._new: list[Row] = []

    def take(self, still: StillReading) -> tuple[Address, AckResult] | Rejected:
        """Keep one and return what to tell the box, or why it cannot be kept.

        Its violation need not be here yet. One that was deleted after its time does not come back,
        nor one that may have been.

        Raises:
            OSError: If the disk takes nothing.
        """
        address, headers = still.address, still.headers
        known = self._known.get(headers.still_id)
        own = (address, still.violation_id, headers.sha256)
        if known == own:
            return address, AckResult(id=headers.still_id, result=AckStatus.DUPLICATE)
        if known is not None:
            whose = "this box" if known[0] == address else "another box"
            return turn_away(still, f"still_id {headers.still_id} names another still of {whose}")
        if self._album.refuses is not None:
            return turn_away(still, self._album.refuses)
        if self._may_be_back(headers):
            return turn_away(
                still,
                f"made {timestamp(headers.at)}, longer ago than store.keep_days: whether it was "
                "here and had its time is not known any more",
            )
        if self._kept[address] >= self._album.of_a_box:
            return turn_away(still, f"{self._album.of_a_box} pictures of this box are kept already")
        self._kept[address] += 1
        self._album.pictures.put(headers.sha256, headers.media_type, still.payload)
        self._known[headers.still_id] = own
        self._new.append(_row(still, self._now, self._album.keep))
        return address, AckResult(id=headers.still_id, result=AckStatus.COMMITTED)

    def save(self) -> None:
        """Write the rows of the new ones."""
        bulk.insert(self._connection, stills, self._new)

    def _may_be_back(self, headers: StillHeaders) -> bool:
        """Say whether one may have been deleted so long ago that the proof is gone, too."""
        within = self._album.made_within
        if within is None or not headers.clock_synced:
            return False
        return headers.at < self._now - within

    def _count(self, address: Address) -> int:
        """Return how many of a box are kept, counted up to the bound."""
        mine = (stills.c.site == address.site, stills.c.box == address.box)
        some = select(stills.c.id).where(*mine).limit(self._album.of_a_box).subquery()
        return self._connection.scalar(select(func.count()).select_from(some)) or 0

    def _load_known(self, ids: Sequence[str]) -> dict[str, tuple[Address, str, str]]:
        found: dict[str, tuple[Address, str, str]] = {}
        for table in (stills, deleted_stills):
            columns = (table.c.still_id, table.c.site, table.c.box, table.c.violation_id)
            for start in range(0, len(ids), _MOST_PARAMETERS):
                part = table.c.still_id.in_(ids[start : start + _MOST_PARAMETERS])
                for row in self._connection.execute(select(*columns, table.c.sha256).where(part)):
                    found[row.still_id] = (
                        Address(row.site, row.box),
                        row.violation_id,
                        row.sha256,
                    )
        return found


def delete_due(
    connection: Connection, pictures: Pictures, now: datetime, keep: timedelta
) -> list[Row]:
    """Delete files and rows whose time is over, a few at a time; return the proof of each.

    The file goes first: a kill in between leaves a row, which is tried again, and never a file
    that nobody knows of. The promise at its arrival holds, and so does a shorter `keep` of today.

    Raises:
        OSError: If a file cannot be deleted; then its row stays.
    """
    due = select(stills).where(_is_due(now, keep))
    rows = connection.execute(due.order_by(stills.c.id).limit(_A_TURN)).all()
    ids = {row.id for row in rows}
    proofs: list[Row] = []
    for row in rows:
        others = select(func.count()).where(stills.c.sha256 == row.sha256, stills.c.id.not_in(ids))
        shared = bool(connection.scalar(others))
        if not shared:
            pictures.remove(row.sha256, row.media_type)
        values = row._asdict()
        proofs.append(
            {column.name: values[column.name] for column in _PROOF}
            | {"deleted_at": now, "file_gone": not shared}
        )
    if proofs:
        connection.execute(stills.delete().where(stills.c.id.in_(ids)))
        connection.execute(deleted_stills.insert(), proofs)
    return proofs


def are_due(connection: Connection, now: datetime, keep: timedelta) -> bool:
    """Say whether the time of any still is over."""
    return bool(connection.scalar(select(exists().where(_is_due(now, keep)))))


def _is_due(now: datetime, keep: timedelta) -> ColumnElement[bool]:
    return or_(stills.c.delete_at <= now, stills.c.received_at <= now - keep)


def unknown(connection: Connection, pictures: Pictures, some: Sequence[Path]) -> list[Path]:
    """Return those of some files of the folder that belong to no row."""
    names = [path.stem for path in some]
    found = select(stills.c.sha256, stills.c.media_type).where(stills.c.sha256.in_(names))
    known = {pictures.path(row.sha256, row.media_type) for row in connection.execute(found)}
    return [path for path in some if path not in known]


def tell(proofs: Sequence[Row]) -> None:
    """Log what was deleted, after the commit."""
    for one in proofs:
        log.info(
            "a still was deleted after its time",
            extra={name: one[name] for name in ("site", "box", "still_id", "sha256", "file_gone")},
        )


def _row(still: StillReading, now: datetime, keep: timedelta) -> Row:
    headers = still.headers
    return {
        "site": still.address.site,
        "box": still.address.box,
        "still_id": headers.still_id,
        "violation_id": still.violation_id,
        "media_type": headers.media_type,
        "sha256": headers.sha256,
        "size": len(still.payload),
        "at": headers.at,
        "clock_synced": headers.clock_synced,
        "schema": headers.schema_version,
        "replayed": still.replayed,
        "received_at": now,
        "delete_at": now + keep,
    }
