"""The log: takes batches of readings in, durably, and keeps watch over what should have come."""

import logging
from collections.abc import Sequence
from typing import Self

from sqlalchemy import Engine, select
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.subscriber.alarms import Alarms, Kind
from cleandesk_fleet.subscriber.database import will_pass
from cleandesk_fleet.subscriber.intake import Cleared, Reading, Rejected, Report, spoke, turn_away
from cleandesk_fleet.subscriber.moments import Moment
from cleandesk_fleet.subscriber.reports import AT_REST
from cleandesk_fleet.subscriber.stills import delete_due, sweep, tell
from cleandesk_fleet.subscriber.tables import alarms, boxes
from cleandesk_fleet.subscriber.transaction import Answer, Terms, Transaction
from cleandesk_fleet.subscriber.watch import Watch

log = logging.getLogger(__name__)

_SWEEP_EVERY_S = 3600.0
_UNSTORABLE = (SQLAlchemyError, ValueError, OverflowError, TypeError)


class Log:
    """The state of record. One writer, one thread.

    Args:
        engine: From `open_writer`.
        silent_after_s: No message of a box for so long opens an alarm.
        terms: What holds for each transaction.
    """

    def __init__(self, engine: Engine, *, silent_after_s: float, terms: Terms) -> None:
        self._engine, self._terms = engine, terms
        self._silent_after_s = silent_after_s
        self.watch = Watch(silent_after_s)
        self._sweep_at = 0.0

    def begin(self, now: Moment) -> Self:
        """Watch the boxes that are known from before.

        Raises:
            DatabaseError: If the database cannot be read.
        """
        with self._engine.connect() as connection:
            for row in connection.execute(select(boxes.c.site, boxes.c.box, boxes.c.status)):
                if row.status not in AT_REST:
                    self.watch.expect(Address(row.site, row.box), now.mono)
            silent = select(alarms.c.site, alarms.c.box).where(
                alarms.c.kind == Kind.SILENT.value, alarms.c.closed_at.is_(None)
            )
            for row in connection.execute(silent):
                self.watch.expect(Address(row.site, row.box), now.mono, silent=True)
        return self

    def commit(self, readings: Sequence[Reading], now: Moment) -> list[Answer]:
        """Log a batch in one commit; when it returns, everything is on the disk.

        A reading that the database will not take is put into quarantine instead, so that none can
        hold up the others.

        Returns:
            One answer for each reading, in order.

        Raises:
            DatabaseError: If the database is locked, full or broken; nothing was logged. Try again.
            OSError: If a still cannot be written; nothing was logged. Try again.
        """
        try:
            return self._commit(readings, now)
        except _UNSTORABLE as error:
            if isinstance(error, DatabaseError) and will_pass(error):
                raise
            if len(readings) > 1:
                log.exception("a batch was not taken; trying its messages one by one")
                return [answer for one in readings for answer in self.commit([one], now)]
            if not readings or isinstance(readings[0], Rejected | Cleared):
                raise
            log.exception("a message was not taken; it goes into quarantine")
            reason = f"cannot be stored: {type(error).__name__}"
            return self._commit([turn_away(readings[0], reason)], now)

    def look_around(self, now: Moment) -> None:
        """Open alarms for boxes that are silent, close those that are over, delete stills in time.

        Raises:
            DatabaseError: As `commit`.
            OSError: If a picture cannot be deleted; it is tried again the next time.
        """
        silent = self.watch.due(now.mono)
        with self._engine.begin() as connection:
            raised = Alarms(connection, now.utc)
            for address in silent:
                detail = f"no message for {self._silent_after_s:.0f} s"
                raised.open(Kind.SILENT, address, "", detail)
            raised.close_quiet()
        self.watch.reported(silent)
        raised.tell()
        self._delete_stills(now)

    def _delete_stills(self, now: Moment) -> None:
        album = self._terms.album
        with self._engine.begin() as connection:
            proofs = delete_due(connection, album.pictures, now.utc, album.keep)
            if now.mono >= self._sweep_at:
                sweep(connection, album.pictures)
                self._sweep_at = now.mono + _SWEEP_EVERY_S
        tell(proofs)

    def reopen(self) -> None:
        """Let go of the database's file; the next use opens it again."""
        self._engine.dispose()

    def _commit(self, readings: Sequence[Reading], now: Moment) -> list[Answer]:
        with self._engine.begin() as connection:
            transaction = Transaction(connection, readings, now.utc, self._terms)
            answers = [transaction.apply(reading) for reading in readings]
            speakers = {address for reading in readings if (address := spoke(reading))}
            for address in speakers:
                transaction.heard(address)
                if address in self.watch.silent:
                    transaction.alarms.close(Kind.SILENT, address)
            transaction.finish()
        transaction.alarms.tell()
        for reading in readings:
            self._observe(reading, now.mono)
        return answers

    def _observe(self, reading: Reading, now: float) -> None:
        match reading:
            case Report(message=Status(state=Availability.STOPPED)):
                self.watch.forget(reading.address)
            case Cleared():
                if reading.channel is Channel.STATUS:
                    self.watch.forget(reading.address)
            case _ if address := spoke(reading):
                self.watch.hear(address, now)
            case Report():
                self.watch.expect(reading.address, now)
