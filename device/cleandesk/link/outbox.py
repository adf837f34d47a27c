"""The outbox: events are committed here first, and leave only on the subscriber's word."""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Literal, TypeVar

from cleandesk.clock import Clock, Instant
from cleandesk.contract.messages import AckResult, ActiveViolation, OutboxHealth
from cleandesk.contract.topics import Address
from cleandesk.link import loss, mark, opening
from cleandesk.link.book import Book
from cleandesk.link.chain import Entry, Verdict, Walk
from cleandesk.link.errors import LedgerUnreadableError, OutboxError
from cleandesk.link.events import EventMaker
from cleandesk.link.paper import Paper
from cleandesk.link.records import Active, Pending
from cleandesk.link.release import release
from cleandesk.link.schema import Trouble, trouble
from cleandesk.link.store import Store
from cleandesk.policy.change import Change
from cleandesk.settings import LedgerSettings, OutboxSettings

log = logging.getLogger(__name__)

_BYTES_A_MB = 1_000_000
_REOPEN_MAX_S = 30.0
_PRUNE_EVERY_S = 3600.0
T = TypeVar("T")


class Outbox:
    """Events that wait for the subscriber, with the policy's state, in one SQLite file.

    The loop commits, the link reads and settles: one connection with a lock around it. Both
    sides write, and SQLite has one writer at a time anyway; a second connection would only move
    the waiting into SQLite, and need a `-shm` file that a full disk refuses. The lock is held for
    one transaction at most, but while a damaged file is being salvaged.

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

    def __init__(
        self,
        settings: OutboxSettings,
        address: Address,
        *,
        boot: str,
        clock: Clock,
        keep: LedgerSettings | None = None,
    ) -> None:
        self._path = settings.path
        self._max_events, self._max_bytes = settings.max_events, int(settings.max_mb * _BYTES_A_MB)
        self._clock, self._keep = clock, keep or LedgerSettings()
        self._prune_at = 0.0
        self._guard = threading.RLock()
        self._storage: Literal["ok", "full", "failing"] = "ok"
        self._store: Store | None = None
        self._reopen_at, self._reopen_wait_s = 0.0, 1.0
        self._mark_failed = False
        self._listener: Callable[[], None] = _nobody
        self._book = Book(address, boot, clock.now().mono)
        self._lock: int | None = opening.lock(self._path)
        try:
            self._book.remember(mark.read(self._path))
            self._open()
            self._flush()
        except BaseException:
            self._let_go()
            os.close(self._lock)
            raise

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

    def say(self, paper: Paper) -> None:
        """Enter a message about the worker in the ledger, and have it sent after that.

        From any thread. It is on the disk when this returns, or, if that takes nothing, in memory:
        then it is entered, and only after that sent, as soon as the disk works. An appeal or an
        answer that was said before, byte for byte, is the same entry, and is sent once more.
        """
        with self._guard:
            self._book.pages.say(paper, self._clock.now())
            self._write_pages()
        self._listener()

    def note(self, what: str, text: str) -> None:
        """Enter something that happened on the box and is sent to nobody. From any thread.

        Args:
            what: A word for programs, such as `aiming_view`, `pin_reset` or `break_by_button`.
            text: For the worker.
        """
        with self._guard:
            self._book.pages.note(what, text, self._clock.now())
            self._write_pages()

    def ledger(self, before: int | None = None, limit: int = 50) -> list[Entry]:
        """Return entries of the ledger, the newest first. From any thread.

        Args:
            before: Only those with a lower number.
            limit: At most so many.

        Raises:
            LedgerUnreadableError: If the disk does not let it be read at present.
        """
        with self._guard:
            return self._read(lambda store: store.ledger.page(before, limit))

    def verify(self) -> Verdict:
        """Walk along the ledger's chain. From any thread; the frame loop goes on meanwhile.

        Raises:
            LedgerUnreadableError: If the disk does not let it be read at present.
        """
        while True:
            with self._guard:
                anchor = self._book.pages.anchor
                walk = Walk(anchor, self._read(lambda store: store.ledger.gaps()))
            while walk.wrong is None:
                with self._guard:
                    if self._book.pages.anchor != anchor:
                        break  # its beginning was deleted meanwhile: once more
                    after = walk.head.number
                    part = self._read(partial(_entries_after, after))
                if not part:
                    return walk.verdict()
                walk.follow(part)
            else:
                return walk.verdict()

    def state(self) -> bytes | None:
        """Return the policy's last state; None if there is none, or none was readable."""
        with self._guard:
            return self._book.state

    def open_violations(self) -> list[ActiveViolation]:
        """Return what is open, as last committed."""
        with self._guard:
            payloads = [active.payload for active in self._book.wanted.values() if active.payload]
        return [ActiveViolation.model_validate_json(payload) for payload in payloads]

    def listen(self, listener: Callable[[], None]) -> None:
        """Have someone told of each commit; called in the committing thread, must not block."""
        self._listener = listener

    @property
    def last_id(self) -> int:
        """The highest `Pending.id` so far."""
        return self._book.next_id - 1

    @property
    def last_paper(self) -> int:
        """The highest `Pending.id` of a paper so far; 0 where none waits."""
        with self._guard:
            try:
                return self._read(lambda store: store.papers.last_id())
            except LedgerUnreadableError:
                return 0

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

    def papers(self, *, answered: bool, after: int = 0, limit: int = 100) -> list[Pending]:
        """Return papers after an id, oldest first: those that a subscriber answers for, or not."""
        with self._guard:
            done = self._book.pages.done
            if self._store is None or not self._book.pages.papers:
                return []
            try:
                found = self._store.papers.pending(
                    answered=answered, after=after, limit=limit + len(done)
                )
            except sqlite3.Error as error:
                self._failed(error)
                return []
            return [one for one in found if one.id not in done][:limit]

    def settle_paper(self, paper: Pending) -> None:
        """Release a paper that nobody answers for: the broker has it."""
        with self._guard:
            if paper.id not in self._book.pages.done:
                self._book.pages.settled(paper.id)

    @property
    def waiting(self) -> int:
        """How many events and papers are on file or in memory and not settled."""
        with self._guard:
            book = self._book
            return book.depth + len(book.queue) + book.pages.papers

    def privacy(self) -> Entry | None:
        """Return the newest state of the worker that was entered in this run."""
        with self._guard:
            return self._book.pages.privacy

    def unconfirmed(self) -> list[Entry]:
        """Return retained messages that a broker may have or not, the oldest first."""
        with self._guard:
            try:
                return self._read(lambda store: store.ledger.unconfirmed())
            except LedgerUnreadableError:
                return []  # they stay unconfirmed

    def note_trying(self, entries: Collection[int]) -> bool:
        """Remember, before they are handed to the broker, that it may hold these entries.

        Returns:
            Whether that is on the disk. Else they must wait: killed now, nobody would know.
        """
        with self._guard:
            wanted, news = self._book.wanted, self._book.pages.trying(entries)
            for violation_id, active in wanted.items():
                if active.entry in entries and not active.published:
                    wanted[violation_id], news = replace(active, published=True), True
            if news or self._book.pages.marks.tried:
                self._flush()
            return self._book.pages.marks.tried.isdisjoint(entries)

    def note_sent(self, entry: int) -> None:
        """Remember that the broker has an entry's message; the next `tick` writes it."""
        with self._guard:
            self._book.pages.sent(entry, self._clock.now())

    def note_refused(self, entry: int) -> None:
        """Remember that the broker did not take an entry's message."""
        with self._guard:
            self._book.pages.refused(entry)

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

    def close(self) -> None:
        """Write what is left, and let go of the file. A second call does nothing."""
        with self._guard:
            if self._lock is None:
                return
            self._flush()
            self._let_go()
            os.close(self._lock)
            self._lock = None

    def _read(self, read: Callable[[Store], T]) -> T:
        if self._store is not None:
            try:
                return read(self._store)
            except (sqlite3.Error, ValueError) as error:
                reason = str(error)
                if isinstance(error, sqlite3.Error):
                    self._failed(error)
        else:
            reason = "its disk fails"
        raise LedgerUnreadableError(
            f"the ledger in {self._path} cannot be read: {reason}: nothing is sent meanwhile; "
            "check the disk (dmesg), or try again in a minute"
        )

    def _write_pages(self) -> None:
        self._flush()
        if dropped := self._book.pages.shorten():
            log.error("papers are lost: the disk takes nothing", extra={"papers": dropped})

    def _prune(self, now: Instant) -> None:
        """Delete old entries of the ledger, a few at a time, so that the loop need not wait."""
        if self._store is None or self._storage != "ok" or now.mono < self._prune_at:
            return
        keep = timedelta(days=self._keep.keep_days)
        try:
            more = self._book.prune(
                self._store,
                now.utc - keep if now.synced else None,
                int(self._keep.max_mb * _BYTES_A_MB),
                now,
            )
        except sqlite3.Error as error:
            self._failed(error)
        else:
            self._prune_at = now.mono + (0 if more else _PRUNE_EVERY_S)

    def _open(self) -> None:
        """Open the file, unless its disk is full or fails; then `tick` tries again."""
        now = self._clock.now()
        try:
            opened = opening.open_store(self._path, now, self._book.next_id)
            self._book.adopt(opened)
        except sqlite3.Error as error:
            self._failed(error)
        except OSError as error:
            self._say("failing", str(error))
        except OutboxError as error:
            if not self._book.loaded:
                raise
            self._say("failing", str(error))
        else:
            self._store = opened.store

    def _flush(self) -> None:
        if self._store is not None:
            try:
                dropped = self._book.write(
                    self._store, self._clock.now(), self._max_events, self._max_bytes
                )
            except sqlite3.Error as error:
                self._failed(error)
            else:
                if dropped:
                    log.error("outbox is full: the oldest are lost", extra={"events": dropped})
                if self._storage != "ok":
                    log.info("the outbox's disk works again")
                self._storage = "ok"
                self._reopen_at, self._reopen_wait_s = 0.0, 1.0
        self._write_mark()

    def _failed(self, error: sqlite3.Error) -> None:
        kind = trouble(error)
        self._say("full" if kind is Trouble.FULL else "failing", str(error))
        if kind is Trouble.DAMAGED:
            self._let_go()

    def _let_go(self) -> None:
        if self._store is not None:
            try:
                self._store.close()
            except sqlite3.Error as error:
                log.warning("outbox does not close", extra={"error": str(error)})
            self._store = None

    def _say(self, storage: Literal["full", "failing"], error: str) -> None:
        if storage != self._storage:
            log.error(
                "outbox cannot write: events wait in memory",
                extra={
                    "path": str(self._path),
                    "storage": storage,
                    "error": error,
                    "fix": "free space on its disk"
                    if storage == "full"
                    else "check the disk (dmesg), replace the card",
                },
            )
        self._storage = storage

    def _write_mark(self) -> None:
        try:
            try:
                known = self._book.mark(self._store)
            except sqlite3.Error:
                known = self._book.mark(None)  # wider, from memory alone
            mark.write(self._path, known)
        except OSError as error:
            if not self._mark_failed:
                log.warning("outbox mark cannot be written", extra={"error": str(error)})
            self._mark_failed = True
        else:
            self._mark_failed = False


def _entries_after(number: int, store: Store) -> list[Entry]:
    return store.ledger.after(number)


def _nobody() -> None:
    """Stand in for a listener."""
