"""The outbox: events are committed here first, and leave only on the subscriber's word."""

import logging
import sqlite3
from collections.abc import Iterable, Sequence

from cleandesk.contract.health import OutboxHealth
from cleandesk.contract.messages import AckResult, ActiveViolation
from cleandesk.link import loss
from cleandesk.link.entering import Entering
from cleandesk.link.errors import LedgerUnreadableError
from cleandesk.link.events import EventMaker
from cleandesk.link.records import Active, Pending
from cleandesk.link.release import release
from cleandesk.policy.change import Change

log = logging.getLogger(__name__)

_REOPEN_MAX_S = 30.0


class Outbox(Entering):
    """Events that wait for the subscriber, with the policy's state and the ledger, in one file.

    The loop commits, the link reads and settles, and whoever has something to say of the worker
    says it here (`Entering.say`).

    Once open, a full or failing disk raises nothing: events and state wait in memory, bounded, and
    are written as soon as that works; what does not fit is lost, counted and listed.

    Args:
        settings: Where, and how much.
        address: The box's.
        boot: Id of this power-on.
        clock: For ages; a clock that counts powered-on time.
        keep: How much of the ledger stays.

    Raises:
        OutboxError: If the file may not be used, is another process's, or something else.
    """

    def commit(self, changes: Sequence[Change], state: bytes, *, make: EventMaker) -> None:
        """Commit the events of one look, the policy's state and what is open, all or nothing.

        Returns after they are on the disk, or, if that takes nothing, in memory.
        """
        with self._guard:
            now = self._clock.now()
            for change in [*self._book.orphaned(now), *changes]:
                self._book.append(change, make, now)
            self._book.state = state
            self._flush()
            if self._book.shorten():
                log.error("events are lost: neither disk nor memory takes more")
        self._listener()

    def state(self) -> bytes | None:
        """Return the policy's last state; None if there is none, or none was readable."""
        with self._guard:
            return self._book.state

    def open_violations(self) -> list[ActiveViolation]:
        """Return what is open, as last committed."""
        with self._guard:
            payloads = [active.payload for active in self._book.wanted.values() if active.payload]
        return [ActiveViolation.model_validate_json(payload) for payload in payloads]

    @property
    def last_id(self) -> int:
        """The highest `Pending.id` so far."""
        return self._book.next_id - 1

    @property
    def epoch(self) -> str:
        """The file's epoch; it changes if the file had to be replaced."""
        return self._book.epoch

    def pending(self, *, after: int = 0, limit: int = 100) -> list[Pending]:
        """Return committed events after an id, oldest first."""
        with self._guard:
            if self._store is None:
                return []
            try:
                found = self._store.pending(after, limit + len(self._book.settled))
            except sqlite3.Error as error:
                self._failed(error)
                return []
            return [one for one in found if one.id not in self._book.settled][:limit]

    def settle(self, results: Iterable[AckResult]) -> frozenset[str]:
        """Release the events that the subscriber has answered for.

        Returns:
            event_ids of what was released: known, and not released before.
        """
        with self._guard:
            if self._store is None:
                return frozenset()
            try:
                released = release(self._store, self._book, list(results), self._clock.now())
            except sqlite3.Error as error:
                self._failed(error)  # the events are sent again, and answered again
                return frozenset()
            if released:
                self._flush()
        return released

    def gone(self, ids: Iterable[str]) -> frozenset[str]:
        """Return which of these are not on file: given up as too many, or answered before."""
        with self._guard:
            try:
                return self._read(
                    lambda store: frozenset(one for one in ids if store.find(one) is None)
                )
            except LedgerUnreadableError:
                return frozenset()

    def active(self) -> dict[str, Active]:
        """Return the retained topics that are due, by violation: committed ones only."""
        with self._guard:
            return {id_: active for id_, active in self._book.stored.items() if active.entry}

    def note_cleared(self, violation_id: str) -> None:
        """Forget a closed violation's topic: the broker confirmed that it is empty."""
        with self._guard:
            active = self._book.wanted.get(violation_id)
            if active is not None and not active.payload:
                del self._book.wanted[violation_id]

    def tick(self) -> None:
        """Try again what the disk refused; call it every second or so."""
        with self._guard:
            instant = self._clock.now()
            now = instant.mono
            if self._storage == "failing" and now >= self._reopen_at:
                # A handle that saw an error may know less than the file: open and check anew.
                self._let_go()
                self._open()
                self._reopen_at = now + self._reopen_wait_s
                self._reopen_wait_s = min(_REOPEN_MAX_S, 2 * self._reopen_wait_s)
            self._prune(instant)
            book = self._book
            if (
                self._storage != "ok"
                or book.queue
                or book.settled
                or book.pages.waiting
                or book.wanted != book.stored
            ):
                before = self.last_id
                self._flush()
                if self.last_id > before:
                    self._listener()

    def health(self) -> OutboxHealth:
        """Return what waits and what is lost."""
        with self._guard:
            book, now = self._book, self._clock.now().mono
            since = book.waiting_since if book.depth else None
            if since is None and book.queue:
                since = book.queue_since
            return OutboxHealth(
                epoch=book.epoch,
                next_seq=book.next_seq,
                depth=book.depth + len(book.queue),
                bytes=book.bytes + sum(len(record.payload) for record in book.queue),
                oldest_s=None if since is None else round(max(0.0, now - since), 3),
                lost=loss.count(book.losses),
                lost_ranges=list(book.losses),
                refused=book.refused,
                storage=self._storage,
            )
