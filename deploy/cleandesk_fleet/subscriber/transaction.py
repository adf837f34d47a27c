"""One transaction: a batch of readings becomes rows, alarms and answers, all of it or nothing."""

from collections.abc import Sequence as Batch
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from cleandesk.contract.health import Health
from cleandesk.contract.messages import AckResult, AckStatus
from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber import quarantine, reports
from cleandesk_fleet.subscriber.alarms import Alarms, Kind
from cleandesk_fleet.subscriber.intake import (
    Cleared,
    Event,
    Objection,
    Reading,
    Rejected,
    Report,
    StillReading,
    turn_away,
)
from cleandesk_fleet.subscriber.objections import Objections
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.rows import Row, Rows, box_key
from cleandesk_fleet.subscriber.sequences import Sequence, count, describe
from cleandesk_fleet.subscriber.stills import Stills
from cleandesk_fleet.subscriber.tables import boxes, events, violations
from cleandesk_fleet.subscriber.violations import event_row, merge

#: None: nobody to answer, or nothing to say.
Answer = tuple[Address, AckResult] | None

_SHOWN_GAPS = 5
_MOST_PARAMETERS = 500


@dataclass(frozen=True, slots=True)
class Album:
    """Where stills are kept, and for how long."""

    pictures: Pictures
    keep: timedelta


class Transaction:
    """Applies readings one by one; `finish` writes what was gathered."""

    def __init__(
        self, connection: Connection, readings: Batch[Reading], now: datetime, album: Album
    ) -> None:
        self._connection = connection
        self._now = now
        self.alarms = Alarms(connection, now)
        arrived = [reading for reading in readings if isinstance(reading, Event)]
        self._known = self._load_known({event.message.event_id for event in arrived})
        self._violations = Rows(
            connection,
            violations,
            {box_key(event.address, event.message.violation_id) for event in arrived},
        )
        addresses = {reading.address for reading in readings if reading.address is not None}
        self._boxes = Rows(connection, boxes, {box_key(address) for address in addresses})
        self._sequences: dict[tuple[Address, str], Sequence] = {}
        self._objections = Objections(
            connection, [reading for reading in readings if isinstance(reading, Objection)], now
        )
        self._stills = Stills(
            connection,
            [reading for reading in readings if isinstance(reading, StillReading)],
            now,
            album.pictures,
            album.keep,
        )
        self._new_events: list[Row] = []
        self._quarantined = False

    def apply(self, reading: Reading) -> Answer:
        """Take one reading in and return what to tell the box."""
        match reading:
            case Event():
                return self._event(reading)
            case Objection():
                return self._taken(self._objections.take(reading))
            case StillReading():
                return self._taken(self._stills.take(reading))
            case Report():
                self._report(reading)
                return None
            case Cleared():
                row = self._box(reading.address)
                self._boxes.set(box_key(reading.address), reports.clear(row, reading, self.alarms))
                return None
            case Rejected():
                return self._reject(reading)

    def finish(self, max_quarantined: int) -> None:
        """Write everything; the commit is the caller's."""
        if self._new_events:
            self._connection.execute(events.insert(), self._new_events)
        self._objections.save()
        self._stills.save()
        self._violations.save()
        self._boxes.save()
        for (address, epoch), sequence in self._sequences.items():
            sequence.save()
            if sequence.gaps_changed:
                self._tell_gaps(address, epoch, sequence)
        if self._quarantined:
            quarantine.trim(self._connection, max_quarantined)

    def heard(self, address: Address) -> None:
        """Take note that a box spoke just now."""
        row = self._box(address)
        self._boxes.set(box_key(address), row | {"last_seen": self._now})

    def _taken(self, taken: tuple[Address, AckResult] | Rejected) -> Answer:
        return self._reject(taken) if isinstance(taken, Rejected) else taken

    def _event(self, event: Event) -> Answer:
        message, address = event.message, event.address
        known = self._known.get(message.event_id)
        if known is not None:
            if known == (address, event.payload):
                return address, AckResult(id=message.event_id, result=AckStatus.DUPLICATE)
            whose = "this box" if known[0] == address else "another box"
            return self._reject(
                turn_away(event, f"event_id {message.event_id} names another event of {whose}")
            )
        if not self._sequence(address, message.epoch).arrive(message.seq):
            return self._reject(
                turn_away(event, f"seq {message.seq} of this epoch is another event's")
            )
        self._known[message.event_id] = (address, event.payload)
        self._new_events.append(event_row(event, self._now))
        key = box_key(address, message.violation_id)
        self._violations.set(
            key, merge(self._violations.get(key), message, replayed=event.replayed)
        )
        return address, AckResult(id=message.event_id, result=AckStatus.COMMITTED)

    def _report(self, report: Report) -> None:
        before = self._box(report.address)
        after = reports.apply(before, report, self.alarms)
        self._boxes.set(box_key(report.address), after)
        if isinstance(report.message, Health):
            self._account(report.address, report.message)

    def _account(self, address: Address, health: Health) -> None:
        """Hold what the box says about its outbox against what is logged."""
        outbox = health.outbox
        for part in outbox.lost_ranges:
            sequence = self._sequence(address, part.epoch)
            newly = sequence.lose(max(part.first, 1), part.last, part.reason, self._now)
            if newly:
                numbers = describe([(part.first, part.last)])
                detail = f"{newly} events will never come: {part.reason}, within {numbers}"
                self.alarms.open(Kind.LOST, address, part.epoch, detail)
        if outbox.depth == 0:
            # Everything was answered: what is not here by now was answered elsewhere, or lost.
            self._sequence(address, outbox.epoch).expect(outbox.next_seq - 1)

    def _reject(self, reading: Rejected) -> Answer:
        kind = Kind.REFUSED if reading.status is AckStatus.REFUSED else Kind.QUARANTINED
        self.alarms.open(kind, reading.address, "", reading.reason)
        if reading.keep:
            quarantine.keep(self._connection, reading, self._now)
            self._quarantined = True
            if reading.address is not None and reading.number is not None:
                epoch, seq = reading.number
                sequence = self._sequence(reading.address, epoch)
                sequence.lose(seq, seq, reading.status.value, self._now)
        if reading.address is None:
            return None
        return reading.address, AckResult(
            id=reading.answer_id, result=reading.status, reason=reading.reason
        )

    def _tell_gaps(self, address: Address, epoch: str, sequence: Sequence) -> None:
        if not sequence.missing:
            self.alarms.close(Kind.GAP, address, epoch)
            return
        shown = sequence.gaps(_SHOWN_GAPS)
        more = ", …" if count(shown) < sequence.missing else ""
        detail = f"{sequence.missing} events are missing: seq {describe(shown)}{more}"
        self.alarms.open(Kind.GAP, address, epoch, detail)

    def _box(self, address: Address) -> Row:
        return self._boxes.get(box_key(address)) or reports.new_box()

    def _sequence(self, address: Address, epoch: str) -> Sequence:
        key = (address, epoch)
        if key not in self._sequences:
            self._sequences[key] = Sequence(self._connection, address, epoch)
        return self._sequences[key]

    def _load_known(self, wanted: set[str]) -> dict[str, tuple[Address, bytes]]:
        found: dict[str, tuple[Address, bytes]] = {}
        ids = list(wanted)
        for start in range(0, len(ids), _MOST_PARAMETERS):
            statement = select(
                events.c.event_id, events.c.site, events.c.box, events.c.payload
            ).where(events.c.event_id.in_(ids[start : start + _MOST_PARAMETERS]))
            for row in self._connection.execute(statement):
                found[row.event_id] = (Address(row.site, row.box), row.payload)
        return found
