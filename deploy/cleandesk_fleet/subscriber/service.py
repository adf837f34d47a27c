"""The service: takes deliveries, commits them, answers, and only then lets the broker forget."""

import itertools
import logging
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from cleandesk.contract import reasons
from cleandesk.contract.messages import Ack, AckResult
from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.subscriber.database import DatabaseUnusableError, reason_of
from cleandesk_fleet.subscriber.inbox import Inbox
from cleandesk_fleet.subscriber.intake import MAX_PAYLOAD, read
from cleandesk_fleet.subscriber.metrics.figures import Figures
from cleandesk_fleet.subscriber.moments import Clock, system_clock
from cleandesk_fleet.subscriber.settings import SubscriberSettings
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.transaction import Answer

log = logging.getLogger(__name__)

LOOK_AROUND_S = 1.0
#: A folder that is not mounted fails each look; it is said so often.
TOLD_AGAIN_S = 60.0
#: So long between two looks: this process stood still, and what boxes said is still to come.
STOOD_STILL_S = 4.0
RETRY_MIN_S, RETRY_MAX_S = 0.1, 30.0
#: A box takes answers of up to 1 MiB; so many stay below it with the longest reasons.
_RESULTS_A_MESSAGE = 200
#: The broker drops larger messages, instead of us after they came.
_MAX_PACKET = 4 * MAX_PAYLOAD
_REFUSED = 0x80
_SLICE_S = 0.1
#: It is tried again: another one may write alone just now, in whose place we come.
_FAILS = (SQLAlchemyError, OSError, DatabaseUnusableError)
#: The signal to stop ends one early; the others hold what the broker may send unanswered.
_LAST_TURNS = 3


class Subscriber:
    """Runs until `stop`.

    Args:
        settings: The configuration.
        journal: The log, begun.
        figures: What is counted.
        clock: Where time comes from.
    """

    def __init__(
        self,
        settings: SubscriberSettings,
        journal: Log,
        figures: Figures,
        clock: Clock = system_clock,
    ) -> None:
        self._settings = settings
        self._figures = figures
        self._log = journal
        self._clock = clock
        self._stopping = False
        self._connects = 0
        self._seen_connects = 0
        self._looked = clock().mono
        #: What boxes said before it fell to us to judge is to be asked for once more.
        self._asks = False
        #: Why the last look failed, and when that was said.
        self._failed = ("", 0.0)
        self._inbox = Inbox(limit=2 * settings.batch.messages)
        self._session = Session(
            settings.broker,
            settings.client_id,
            session_expiry_s=0 if settings.group else settings.session_expiry_s,
            subscriptions=settings.subscriptions(),
            on_message=self._inbox.put,
            on_connect=self._on_connect,
            on_puback=_on_puback,
            manual_ack=True,
            receive_maximum=min(2 * settings.batch.messages, 65_535),
            maximum_packet=_MAX_PACKET,
        )

    def run(self) -> None:
        """Take, commit and answer until `stop`; then finish what is here and leave in order."""
        self._session.start()
        try:
            well = True
            while well and not self._stopping:
                well = self._turn(first_s=LOOK_AROUND_S)
            for _ in range(_LAST_TURNS):
                well = well and self._turn(first_s=0)
        finally:
            self._session.stop()
        log.info("subscriber stopped")

    @property
    def connected(self) -> bool:
        """Whether the broker has us."""
        return self._session.connected

    def stop(self) -> None:
        """End `run` soon; may be called from any thread and from a signal handler."""
        self._stopping = True
        self._inbox.close()

    def _turn(self, *, first_s: float) -> bool:
        """Take one batch, and look around where it is time.

        Returns:
            False if `stop` came while the log could not be written.
        """
        batch = self._inbox.take(
            self._settings.batch.messages,
            first_s=first_s,
            more_s=self._settings.batch.wait_ms / 1000,
        )
        if batch:
            answers = self._commit(batch)
            if answers is None:
                return False
            self._answer(batch, answers)
        if not self._stopping:
            self._look_around()
        return True

    def _commit(self, batch: Sequence[Received]) -> list[Answer] | None:
        """Log a batch, however long it takes; None if `stop` came before the database was well."""
        began = time.monotonic()
        readings = [read(received, self._settings.sites) for received in batch]
        for attempt in itertools.count():
            try:
                answers = self._log.commit(readings, self._clock())
            except _FAILS as error:
                self._database_fails(error, attempt)
                if self._stopping:
                    return None
            else:
                if attempt:
                    log.info("the log is written again", extra={"attempts": attempt + 1})
                    self._log.watch.resume(self._clock().mono)
                self._figures.took(readings, answers, time.monotonic() - began)
                return answers
        raise AssertionError

    def _database_fails(self, error: Exception, attempt: int) -> None:
        """Say so, wait, and let go of what may be stale. Nothing is answered meanwhile."""
        self._figures.log_failed()
        wait_s = min(RETRY_MAX_S, RETRY_MIN_S * 2.0 ** min(attempt, 20))
        wait_s *= random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing
        log.error(
            "the log cannot be written: make room on the disk, or end whoever locks it; boxes keep "
            "their events until then",
            extra={
                "database": str(self._settings.store.place),
                "reason": reason_of(error),
                "retry_s": round(wait_s, 2),
                "attempt": attempt + 1,
            },
        )
        self._log.watch.pause()
        self._log.leave()
        self._inbox.discard_stale()
        until = time.monotonic() + wait_s
        while not self._stopping and time.monotonic() < until:
            time.sleep(min(wait_s, _SLICE_S))

    def _answer(self, batch: Sequence[Received], answers: Iterable[Answer]) -> None:
        """Tell each box what became of its messages, then the broker that they are done."""
        by_box: dict[Address, list[AckResult]] = defaultdict(list)
        for answer in answers:
            if answer is not None:
                by_box[answer[0]].append(answer[1])
        words = [
            Publication(
                address.topic(Channel.ACK),
                Ack(results[start : start + _RESULTS_A_MESSAGE]).to_json(),
            )
            for address, results in by_box.items()
            for start in range(0, len(results), _RESULTS_A_MESSAGE)
        ]
        try:
            # An answer that is lost on the way is asked for again. Of one in each batch the
            # broker says that it is there, and whether we may answer.
            self._session.tell(words[:-1])
            for last in words[-1:]:
                self._session.publish(last)
            self._session.acknowledge(*batch)
        except NotConnectedError:
            # No PUBACK either: the broker sends it all again, and it is answered as duplicates.
            log.info("the connection went before the answers; they follow the next delivery")

    def _look_around(self) -> None:
        now = self._clock()
        since = now.mono - self._looked
        if self._seen_connects != self._connects:
            self._seen_connects = self._connects
            self._log.watch.resume(now.mono)
        elif not self._session.connected:
            self._log.watch.pause()
        elif since > STOOD_STILL_S:
            self._log.watch.shift(since - LOOK_AROUND_S, now.mono)
        if since < LOOK_AROUND_S:
            return
        self._looked = now.mono
        if self._inbox.dropped:
            log.warning("messages of QoS 0 dropped", extra={"dropped": self._inbox.dropped})
            self._figures.dropped(self._inbox.dropped)
            self._inbox.dropped = 0
        try:
            if self._log.lead(now, hears=self._session.connected):
                log.info("this subscriber judges for all from now on")
                self._asks = True
            if self._asks and self._log.leads:
                self._session.refresh()
                self._asks = False
            self._log.look_around(now)
            self._failed = ("", now.mono)
        except NotConnectedError:
            self._log.leave()
        except _FAILS as error:
            self._look_fails(reason_of(error), now.mono)

    def _look_fails(self, reason: str, now: float) -> None:
        """Say why, but the same not each second."""
        before, told = self._failed
        if reason == before and now - told < TOLD_AGAIN_S:
            return
        self._failed = (reason, now)
        log.warning(
            "silent boxes could not be noted, or what is due not be deleted; it is tried again",
            extra={"reason": reason},
        )

    def _on_connect(self) -> None:
        self._connects += 1


def _on_puback(mid: int, code: int) -> None:
    if code >= _REFUSED:
        fix = reasons.fix(code)
        if code == reasons.NOT_AUTHORIZED:
            fix = "let this subscriber write cleandesk/v1/+/+/ack"
        log.error("the broker refused an answer: %s", fix, extra={"code": code, "mid": mid})
