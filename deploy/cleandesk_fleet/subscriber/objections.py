"""Appeals: each one once, beside the violation that it is about, which need not be here yet."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from cleandesk.contract.messages import AckResult, AckStatus
from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.database import bulk
from cleandesk_fleet.subscriber.intake import Objection, Rejected, turn_away
from cleandesk_fleet.subscriber.rows import Row
from cleandesk_fleet.subscriber.tables import appeals

_MOST_PARAMETERS = 500


class Objections:
    """The appeals of one transaction."""

    def __init__(self, connection: Connection, arrived: Sequence[Objection], now: datetime) -> None:
        self._connection, self._now = connection, now
        self._known = self._load_known(sorted({one.message.appeal_id for one in arrived}))
        self._new: list[Row] = []

    def take(self, objection: Objection) -> tuple[Address, AckResult] | Rejected:
        """Take one in and return what to tell the box, or why it cannot be logged."""
        address, message = objection.address, objection.message
        known = self._known.get(message.appeal_id)
        if known is None:
            self._known[message.appeal_id] = (address, objection.payload)
            self._new.append(_row(objection, self._now))
            return address, AckResult(id=message.appeal_id, result=AckStatus.COMMITTED)
        if known == (address, objection.payload):
            return address, AckResult(id=message.appeal_id, result=AckStatus.DUPLICATE)
        whose = "this box" if known[0] == address else "another box"
        return turn_away(
            objection, f"appeal_id {message.appeal_id} names another appeal of {whose}"
        )

    def save(self) -> None:
        """Write the new ones."""
        bulk.insert(self._connection, appeals, self._new)

    def _load_known(self, ids: Sequence[str]) -> dict[str, tuple[Address, bytes]]:
        found: dict[str, tuple[Address, bytes]] = {}
        columns = (appeals.c.appeal_id, appeals.c.site, appeals.c.box, appeals.c.payload)
        for start in range(0, len(ids), _MOST_PARAMETERS):
            part = appeals.c.appeal_id.in_(ids[start : start + _MOST_PARAMETERS])
            for row in self._connection.execute(select(*columns).where(part)):
                found[row.appeal_id] = (Address(row.site, row.box), row.payload)
        return found


def _row(objection: Objection, now: datetime) -> Row:
    message = objection.message
    return {
        "site": objection.address.site,
        "box": objection.address.box,
        "appeal_id": message.appeal_id,
        "violation_id": message.violation_id,
        "reason": message.reason.value,
        "note": message.note,
        "at": message.at,
        "clock_synced": message.clock_synced,
        "schema": message.schema_version,
        "replayed": objection.replayed,
        "received_at": now,
        "payload": objection.payload,
    }
