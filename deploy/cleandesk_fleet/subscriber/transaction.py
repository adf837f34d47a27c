"""One transaction: a batch of readings becomes rows, alarms and answers, all of it or nothing."""

from collections import defaultdict
from collections.abc import Sequence as Batch
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, and_, select

from cleandesk.contract.health import Health
from cleandesk.contract.messages import AckResult, AckStatus
from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber import reports
from cleandesk_fleet.subscriber.alarms import Alarms, Kind
from cleandesk_fleet.subscriber.database import bulk
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
from cleandesk_fleet.subscriber.notices.choosing import NewNotices, Wanted
from cleandesk_fleet.subscriber.objections import Objections
from cleandesk_fleet.subscriber.quarantine import Quarantine
from cleandesk_fleet.subscriber.ranges import count, describe
from cleandesk_fleet.subscriber.rows import Key, Row, Rows, box_key
from cleandesk_fleet.subscriber.sequences import Numbered, Sequence, Sequences
from cleandesk_fleet.subscriber.stills import Album, Stills
from cleandesk_fleet.subscriber.tables import boxes, events, violations
from cleandesk_fleet.subscriber.violations import event_row, facts, merge

#: None: nobody to answer, or nothing to say.
Answer = tuple[Address, AckResult] | None

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_BOX = ("site", "box")
_SHOWN_GAPS = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every transaction.

    Attributes:
        album: Where stills are kept, and for how long.
        max_quarantined: So many unreadable messages are kept.
        gap_after: Others write the same log, and may be about to fill a gap: it is told when it is
            so old, by whoever judges for all. None: nobody else writes; it is told when it is seen.
        keep: Events are deleted after so long; None: never.
        most_skew: Nothing is deleted by a clock that is further from the database's.
        notices: Which violations people are told of.
        seen_within: So much older than a box's last word may be what `boxes.last_seen` says: to
            write it costs about as much as an event.
    """

    album: Album
    max_quarantined: int
    gap_after: timedelta | None = None
    keep: timedelta | None = None
    most_skew: timedelta = timedelta.max
    notices: Wanted = field(default_factory=Wanted)
    seen_within: timedelta = timedelta()


class Transaction:
    """Applies readings one by one; `finish` writes what was gathered."""

    def __init__(
        self, connection: Connection, readings: Batch[Reading], now: datetime, terms: Terms
    ) -> None:
        self._connection, self._now, self._terms = connection, now, terms
        # The boxes first: whoever else writes about one of them waits here until our commit.
        addresses = {box_key(one.address) for one in readings if one.address and concerns(one)}
        self._addresses = addresses
        self._there: dict[Key, datetime] = connection.info.setdefault(boxes.name, {})
        bulk.add_missing(connection, boxes, addresses - self._there.keys())
        bulk.lock(connection, boxes, _BOX, addresses)
        told = {box_key(one.address) for one in readings if isinstance(one, Report | Cleared)}
        self._boxes = Rows(connection, boxes, told)
        self.alarms = Alarms(connection, now, addresses)
        arrived = [reading for reading in readings if isinstance(reading, Event)]
        self._known = self._load_known({event.message.event_id for event in arrived})
        self._violations = Rows(
            connection,
            violations,
            {box_key(event.address, event.message.violation_id) for event in arrived},
        )
        self._sequences = Sequences(connection, now, _numbers(readings))
        self._objections = Objections(
            connection, [reading for reading in readings if isinstance(reading, Objection)], now
        )
        self._stills = Stills(
            connection,
            [reading for reading in readings if isinstance(reading, StillReading)],
            now,
            terms.album,
        )
        self._heard: set[Key] = set()
        self._new_events: list[Row] = []
        self._notices = NewNotices(terms.notices)
        self._quarantine = Quarantine(now)

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

    def finish(self) -> None:
        """Write everything; the commit is the caller's."""
        bulk.insert(self._connection, events, self._new_events)
        self._objections.save()
        self._stills.save()
        self._violations.save()
        self._notices.save(self._connection, self._now)
        self._boxes.save()
        bulk.update(self._connection, boxes, _BOX, sorted(self._heard), last_seen=self._now)
        self._sequences.save()
        for sequence in self._sequences.changed_gaps():
            self._tell_gaps(sequence)
        self._quarantine.save(self._connection, self._terms.max_quarantined)
        self.alarms.save()

    def committed(self) -> None:
        """Remember and tell what is certain only now."""
        for key in self._addresses:
            self._there.setdefault(key, _LONG_AGO)
        self._there.update(dict.fromkeys(self._heard, self._now))
        self.alarms.tell()

    def heard(self, address: Address) -> None:
        """Take note that a box spoke just now, if that is not written already."""
        key = box_key(address)
        since = self._now - self._there.get(key, _LONG_AGO)
        if not timedelta() <= since < self._terms.seen_within:
            self._heard.add(key)

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
        if not self._sequences.of(address, message.epoch).arrive(message.seq):
            if self._is_logged(event):
                return address, AckResult(id=message.event_id, result=AckStatus.DUPLICATE)
            return self._reject(
                turn_away(event, f"seq {message.seq} of this epoch is another event's")
            )
        self._known[message.event_id] = (address, event.payload)
        common = facts(message)
        self._new_events.append(event_row(event, common, self._now))
        key = box_key(address, message.violation_id)
        before = self._violations.get(key)
        after = merge(before, event, common)
        self._violations.set(key, after)
        self._notices.consider(key, before, after)
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
            sequence = self._sequences.of(address, part.epoch)
            newly = sequence.lose(max(part.first, 1), part.last, part.reason)
            if newly:
                numbers = describe([(part.first, part.last)])
                detail = f"{newly} events will never come: {part.reason}, within {numbers}"
                self.alarms.open(Kind.LOST, address, part.epoch, detail)
        if outbox.depth == 0:
            # Everything was answered: what is not here by now was answered elsewhere, or lost.
            self._sequences.of(address, outbox.epoch).expect(outbox.next_seq - 1)

    def _reject(self, reading: Rejected) -> Answer:
        kind = Kind.REFUSED if reading.status is AckStatus.REFUSED else Kind.QUARANTINED
        self.alarms.open(kind, reading.address, "", reading.reason)
        if reading.keep:
            self._quarantine.keep(reading)
            if reading.address is not None and reading.number is not None:
                epoch, seq = reading.number
                sequence = self._sequences.of(reading.address, epoch)
                sequence.lose(seq, seq, reading.status.value)
        if reading.address is None:
            return None
        return reading.address, AckResult(
            id=reading.answer_id, result=reading.status, reason=reading.reason
        )

    def _tell_gaps(self, sequence: Sequence) -> None:
        address, epoch = sequence.of.address, sequence.of.epoch
        if not sequence.missing:
            self.alarms.close(Kind.GAP, address, epoch)
        elif self._terms.gap_after is None or self.alarms.is_open(Kind.GAP, address, epoch):
            self.alarms.open(Kind.GAP, address, epoch, about_gaps(sequence))

    def _box(self, address: Address) -> Row:
        return self._boxes.get(box_key(address)) or reports.new_box()

    def _is_logged(self, event: Event) -> bool:
        """Say whether exactly this event is logged, however long ago."""
        key = (*box_key(event.address, event.message.epoch), event.message.seq)
        names = ("site", "box", "epoch", "seq")
        where = and_(*(events.c[name] == value for name, value in zip(names, key, strict=True)))
        row = self._connection.execute(select(events.c.payload).where(where)).first()
        return row is not None and row.payload == event.payload

    def _load_known(self, wanted: set[str]) -> dict[str, tuple[Address, bytes]]:
        rows = bulk.find(
            self._connection,
            events,
            ("event_id",),
            [(one,) for one in wanted],
            columns=("event_id", "site", "box", "payload"),
        )
        return {row.event_id: (Address(row.site, row.box), row.payload) for row in rows}


def about_gaps(sequence: Sequence) -> str:
    """Say for people what is missing."""
    shown = sequence.gaps(_SHOWN_GAPS)
    more = ", …" if count(shown) < sequence.missing else ""
    return f"{sequence.missing} events are missing: seq {describe(shown)}{more}"


def concerns(reading: Reading) -> bool:
    """Say whether a reading changes anything about its box but an alarm."""
    return not isinstance(reading, Rejected) or reading.keep


def _numbers(readings: Batch[Reading]) -> dict[Numbered, list[int]]:
    """Return which epochs readings are about, and which of their events they bring."""
    found: dict[Numbered, list[int]] = defaultdict(list)
    for reading in readings:
        match reading:
            case Event(message=message):
                found[Numbered(reading.address, message.epoch)].append(message.seq)
            case Report(message=Health(outbox=outbox)):
                for epoch in {outbox.epoch, *(part.epoch for part in outbox.lost_ranges)}:
                    found[Numbered(reading.address, epoch)]
    return found
