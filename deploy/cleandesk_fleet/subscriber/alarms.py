"""Alarms: what people must look at. One open alarm for each kind, box and subject."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.database import bulk
from cleandesk_fleet.subscriber.rows import Key
from cleandesk_fleet.subscriber.tables import alarms

log = logging.getLogger(__name__)

#: Alarms about something that happened once close when it has not happened again for so long.
QUIET = timedelta(hours=24)


class Kind(StrEnum):
    """What is wrong.

    `gap`: events are missing from the log. `lost`: the box says that events will never come.
    `silent`: no message for too long. `offline`: the connection broke. `fault`: the camera cannot
    be believed. `storage`: the box cannot keep events. `quarantined`, `refused`: messages that
    were not logged.
    """

    GAP = "gap"
    LOST = "lost"
    SILENT = "silent"
    OFFLINE = "offline"
    FAULT = "fault"
    STORAGE = "storage"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


_STILL = alarms.c.closed_at.is_(None)
_ONCE = (Kind.LOST, Kind.QUARANTINED, Kind.REFUSED)


@dataclass(frozen=True, slots=True)
class _Turn:
    """An alarm that began, came again or ended, to be told after the commit."""

    what: str
    level: int
    kind: Kind
    address: Address | None
    subject: str
    detail: str


class Alarms:
    """The alarms' table within one transaction: `save` before the commit, `tell` after it.

    Args:
        connection: To the log.
        now: When the transaction takes place.
        boxes: Whose open alarms to read in one go; those of others are read when they matter.
    """

    def __init__(self, connection: Connection, now: datetime, boxes: Collection[Key] = ()) -> None:
        self._connection = connection
        self._now = now
        self._turns: list[_Turn] = []
        self._again: dict[tuple[Kind, Address | None, str], tuple[str, int]] = {}
        self._open: dict[Key, dict[tuple[str, str], str]] = {key: {} for key in boxes}
        self._read(boxes)

    def open(self, kind: Kind, address: Address | None, subject: str, detail: str) -> None:
        """Open an alarm, or refresh the one that is open."""
        detail = detail[:1000]
        known = self._of(address)
        before = known.get((kind.value, subject))
        known[kind.value, subject] = detail
        if before is None:
            if self._add(kind, address, subject, detail):
                self._turns.append(_Turn("alarm", logging.WARNING, kind, address, subject, detail))
        elif kind in _ONCE:
            # Each message of a hostile box is one: they are written down together.
            _, times = self._again.get((kind, address, subject), ("", 0))
            self._again[kind, address, subject] = (detail, times + 1)
        elif before != detail:
            self._renew(kind, address, subject, detail)

    def save(self) -> None:
        """Write down what happened again."""
        for (kind, address, subject), (detail, times) in self._again.items():
            self._renew(kind, address, subject, detail, times)
        self._again.clear()

    def is_open(self, kind: Kind, address: Address | None, subject: str = "") -> bool:
        """Say whether an alarm is open."""
        return (kind.value, subject) in self._of(address)

    def close(self, kind: Kind, address: Address | None, subject: str = "") -> None:
        """End an alarm, if it is open."""
        if self._of(address).pop((kind.value, subject), None) is not None:
            self._end(and_(_open_ones(kind, address), alarms.c.subject == subject))

    def only(self, kind: Kind, address: Address, now_true: Mapping[str, str]) -> None:
        """Make these subjects (with their details) the only open ones of a kind and box."""
        for subject, detail in now_true.items():
            self.open(kind, address, subject, detail)
        for what, subject in list(self._of(address)):
            if what == kind.value and subject not in now_true:
                self.close(kind, address, subject)

    def close_quiet(self) -> None:
        """End the alarms about what happened once and has not happened again."""
        self._end(
            and_(
                _STILL,
                alarms.c.kind.in_([kind.value for kind in _ONCE]),
                alarms.c.last_at < self._now - QUIET,
            )
        )

    def tell(self) -> None:
        """Log what began and ended."""
        for turn in self._turns:
            log.log(
                turn.level,
                turn.what,
                extra={
                    "kind": turn.kind.value,
                    "box": str(turn.address) if turn.address else None,
                    "subject": turn.subject,
                    "detail": turn.detail,
                },
            )
        self._turns.clear()

    def _renew(
        self, kind: Kind, address: Address | None, subject: str, detail: str, times: int = 1
    ) -> None:
        self._connection.execute(
            alarms.update()
            .where(_open_ones(kind, address), alarms.c.subject == subject)
            .values(detail=detail, times=alarms.c.times + times, last_at=self._now)
        )

    def _of(self, address: Address | None) -> dict[tuple[str, str], str]:
        """Return the open alarms of a box, or of none: the details by kind and subject."""
        key = (address.site, address.box) if address else ("", "")
        if key not in self._open:
            self._open[key] = {}
            self._read([key])
        return self._open[key]

    def _read(self, boxes: Collection[Key]) -> None:
        columns = ("site", "box", "kind", "subject", "detail")
        found = bulk.find(
            self._connection, alarms, ("site", "box"), boxes, columns=columns, where=_STILL
        )
        for row in found:
            self._open[row.site, row.box][row.kind, row.subject] = row.detail

    def _add(self, kind: Kind, address: Address | None, subject: str, detail: str) -> bool:
        row = {
            "kind": kind.value,
            "site": address.site if address else "",
            "box": address.box if address else "",
            "subject": subject,
            "detail": detail,
            "times": 1,
            "opened_at": self._now,
            "last_at": self._now,
        }
        return bulk.add(self._connection, alarms, row)

    def _end(self, which: ColumnElement[bool]) -> None:
        # In one statement: what another subscriber ends at the same time is told by one of us.
        rows = self._connection.execute(
            alarms.update().where(which).values(closed_at=self._now).returning(alarms)
        )
        self._turns += [
            _Turn(
                "alarm over",
                logging.INFO,
                Kind(row.kind),
                Address(row.site, row.box) if row.site else None,
                row.subject,
                row.detail,
            )
            for row in sorted(rows, key=lambda row: row.id)
        ]


def _open_ones(kind: Kind, address: Address | None) -> ColumnElement[bool]:
    return and_(
        _STILL,
        alarms.c.kind == kind.value,
        alarms.c.site == (address.site if address else ""),
        alarms.c.box == (address.box if address else ""),
    )
