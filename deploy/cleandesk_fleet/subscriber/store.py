"""The log: takes batches of readings in, durably, and keeps watch over what should have come."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cleandesk.contract.health import Health
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.subscriber import overseeing
from cleandesk_fleet.subscriber.alarms import Alarms, Kind
from cleandesk_fleet.subscriber.database import (
    end_frozen,
    is_of_the_rows,
    keeps_house,
    leads,
    make_ahead,
    still_leads,
)
from cleandesk_fleet.subscriber.housekeeping import Housekeeping
from cleandesk_fleet.subscriber.intake import Cleared, Reading, Rejected, Report, spoke, turn_away
from cleandesk_fleet.subscriber.moments import Moment
from cleandesk_fleet.subscriber.reports import AT_REST
from cleandesk_fleet.subscriber.tables import boxes
from cleandesk_fleet.subscriber.transaction import Answer, Terms, Transaction
from cleandesk_fleet.subscriber.unlogged import KEPT_S, Unlogged
from cleandesk_fleet.subscriber.watch import Watch

log = logging.getLogger(__name__)

_UNSTORABLE = (SQLAlchemyError, ValueError, OverflowError, TypeError)


class Log:
    """The state of record, for one thread. Others may write the same one, on PostgreSQL.

    Args:
        engine: From `open_writer`.
        silent_after_s: No message of a box for so long opens an alarm.
        terms: What holds for each transaction.
        sites: Whose boxes are listened to; None: all. Nobody else's are judged.
        unlogged_s: So long it may be that nobody judges, by `unlogged.kept_s`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        silent_after_s: float,
        terms: Terms,
        sites: overseeing.Sites = None,
        unlogged_s: float = KEPT_S,
    ) -> None:
        self._engine, self._terms, self._sites = engine, terms, sites
        self._silent_after_s = silent_after_s
        self._redundant = terms.gap_after is not None
        #: Whether it falls to us to log what boxes say about themselves, and to judge.
        self.leads = self._keeps_house = not self._redundant
        self._unlogged = Unlogged(unlogged_s)
        self.watch = Watch(silent_after_s)
        self._house = Housekeeping(engine, terms)

    def begin(self, now: Moment) -> Self:
        """Watch the boxes that are known from before.

        Raises:
            DatabaseError: If the database cannot be read.
        """
        with self._engine.begin() as connection:
            make_ahead(connection, now.utc)
            ours = overseeing.of_sites(boxes.c.site, self._sites)
            every = select(boxes.c.site, boxes.c.box, boxes.c.status).where(ours)
            for row in connection.execute(every):
                if row.status not in AT_REST:
                    self.watch.expect(Address(row.site, row.box), now.mono)
            for address in overseeing.known_silent(connection, self._sites):
                self.watch.expect(address, now.mono, silent=True)
        return self

    def commit(
        self, readings: Sequence[Reading], now: Moment, *, said_before: bool = False
    ) -> list[Answer]:
        """Log a batch in one commit; when it returns, everything is on the disk.

        A reading that the database will not take is put into quarantine instead, so that none can
        hold up the others.

        Args:
            readings: What came.
            now: The present.
            said_before: It was heard some time ago, so nobody is heard by it now.

        Returns:
            One answer for each reading, in order.

        Raises:
            DatabaseError: If the database is locked, full or broken; nothing was logged. Try again.
            OSError: If a still cannot be written; nothing was logged. Try again.
        """
        try:
            return self._commit(readings, now, said_before=said_before)
        except _UNSTORABLE as error:
            if isinstance(error, DBAPIError) and not is_of_the_rows(error):
                raise
            if len(readings) > 1:
                log.warning("a batch was not taken; trying its halves", extra={"of": len(readings)})
                half = len(readings) // 2
                parts = (readings[:half], readings[half:])
                first, rest = (self.commit(one, now, said_before=said_before) for one in parts)
                return first + rest
            if not readings or isinstance(readings[0], Rejected | Cleared):
                raise
            log.exception("a message was not taken; it goes into quarantine")
            reason = f"cannot be stored: {type(error).__name__}"
            return self._commit([turn_away(readings[0], reason)], now, said_before=said_before)

    def lead(self, now: Moment, *, hears: bool) -> bool:
        """See whether it falls to us to judge for all, and take over where it has just come to us.

        Args:
            now: The present.
            hears: Whether the broker is connected; who hears nothing leaves it to another one.

        Returns:
            Whether it has come to us just now: what boxes said before is to be asked for once more.

        Raises:
            DatabaseError: As `commit`; it has not come to us.
        """
        if not self._redundant:
            return False
        try:
            return self._lead(now, hears=hears)
        except Exception:
            # Until it is known, another one may have come to judge. And the connection may hold a
            # lock that nobody knows of: what begins with it was not done.
            self.leave()
            raise

    def _lead(self, now: Moment, *, hears: bool) -> bool:
        with self._engine.begin() as connection:
            end_frozen(connection)
            led = still_leads(connection, self._sites)
            leading = leads(connection, wanted=hears, sites=self._sites)
            house = keeps_house(connection, wanted=leading)
            begins = leading and not led
            silent = overseeing.known_silent(connection, self._sites) if begins else []
        self.leads, self._keeps_house = leading, house
        if not begins:
            return False
        for address in silent:
            self.watch.expect(address, now.mono, silent=True)
        self.commit(self._unlogged.recent(now.mono), now, said_before=True)
        self._unlogged.clear()
        return True

    def look_around(self, now: Moment) -> None:
        """Judge for all who write this log, if it falls to us: silence, gaps, what is to go.

        Raises:
            DatabaseError: As `commit`.
            OSError: If a picture cannot be deleted; it is tried again the next time.
        """
        if self.leads:
            self._raise_alarms(now)
        if self._keeps_house:
            self._house.delete_due(now)

    def _raise_alarms(self, now: Moment) -> None:
        silent = self.watch.due(now.mono)
        with self._engine.begin() as connection:
            raised = Alarms(connection, now.utc)
            over: list[Address] = []
            if (gap_after := self._terms.gap_after) is not None:
                overseeing.tell_old_gaps(connection, raised, now.utc, gap_after, self._sites)
                over = overseeing.close_heard(connection, raised, self._sites)
                longest = timedelta(seconds=self._silent_after_s) + self._terms.seen_within
                silent = overseeing.unheard(connection, silent, now.utc - longest)
            for address in silent:
                detail = f"no message for {self._silent_after_s:.0f} s"
                raised.open(Kind.SILENT, address, "", detail)
            raised.close_quiet()
        self.watch.reported(silent)
        for address in over:
            self.watch.hear(address, now.mono)
        raised.tell()

    def leave(self) -> None:
        """Let it fall to another one to judge, or to us anew in the next turn."""
        self.reopen()
        self.leads = self._keeps_house = not self._redundant

    def reopen(self) -> None:
        """Let go of the database's file; the next use opens it again."""
        self._engine.dispose()

    def _commit(
        self, readings: Sequence[Reading], now: Moment, *, said_before: bool
    ) -> list[Answer]:
        with self._engine.begin() as connection:
            if self._redundant and not still_leads(connection, self._sites):
                # The connection that judged is gone, and another one may have come to judge.
                self.leads = self._keeps_house = False
            ours = [one for one in readings if self._falls_to_us(one)]
            transaction = Transaction(connection, ours, now.utc, self._terms)
            answers = [
                transaction.apply(one) if self._falls_to_us(one) else None for one in readings
            ]
            heard = [] if said_before else [spoke(reading) for reading in ours]
            speakers = {address for address in heard if address}
            for address in speakers:
                transaction.heard(address)
            for address in speakers & self.watch.silent:
                transaction.alarms.close(Kind.SILENT, address)
            transaction.finish()
        transaction.committed()
        if not said_before:
            self._observe_all(readings, now.mono)
        return answers

    def _falls_to_us(self, reading: Reading) -> bool:
        """Say whether to log a reading; what boxes say about themselves reaches everybody."""
        return self.leads or not isinstance(reading, Report | Cleared)

    def _keep(self, reading: Report | Cleared, now: float) -> None:
        """Keep what is said once, until somebody judges: it may be us."""
        if isinstance(reading, Cleared) or not isinstance(reading.message, Health):
            self._unlogged.keep(reading, now)

    def _observe_all(self, readings: Sequence[Reading], now: float) -> None:
        for reading in readings:
            self._observe(reading, now)
            if not self.leads and isinstance(reading, Report | Cleared):
                self._keep(reading, now)

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
