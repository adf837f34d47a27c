"""The outbox's file in use: one process, one connection, one lock, and a disk that may refuse."""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from cleandesk.clock import Clock
from cleandesk.contract.topics import Address
from cleandesk.link import mark, opening
from cleandesk.link.book import Book
from cleandesk.link.errors import LedgerUnreadableError, OutboxError
from cleandesk.link.schema import Trouble, trouble
from cleandesk.link.store import Store
from cleandesk.settings import LedgerSettings, OutboxSettings

log = logging.getLogger(__name__)

_BYTES_A_MB = 1_000_000
T = TypeVar("T")


class Keeper:
    """Keeps file and memory in step; what an outbox does stands in its subclasses.

    One connection with a lock around it serves all threads. All of them write, and SQLite has one
    writer at a time anyway; a second connection would only move the waiting into SQLite, and need
    a `-shm` file that a full disk refuses. The lock is held for one transaction at most, but while
    a damaged file is being salvaged.

    Attributes:
        fresh: Nothing lay here before: the box has never run with this outbox.
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
        self._keep_bytes = int(self._keep.max_mb * _BYTES_A_MB)
        self._guard = threading.RLock()
        self._storage: Literal["ok", "full", "failing"] = "ok"
        self._store: Store | None = None
        self._reopen_at, self._reopen_wait_s = 0.0, 1.0
        self._mark_failed = False
        self._listener: Callable[[], None] = _nobody
        self._book = Book(address, boot, clock.now().mono)
        self._lock: int | None = opening.lock(self._path)
        self.fresh = _nothing_at(self._path, mark.path_of(self._path))
        try:
            self._book.remember(mark.read(self._path))
            self._open()
            self._flush()
        except BaseException:
            self._let_go()
            os.close(self._lock)
            raise

    def listen(self, listener: Callable[[], None]) -> None:
        """Have someone told of each commit; called in the committing thread, must not block."""
        self._listener = listener

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


def _nothing_at(*paths: Path) -> bool:
    """Say whether none of these is there; where nobody can tell, one may be."""
    try:
        return not any(path.exists() for path in paths)
    except OSError:
        return False


def _nobody() -> None:
    """Stand in for a listener."""
