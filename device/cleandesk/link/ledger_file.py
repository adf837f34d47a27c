"""The ledger read by another process, while the box runs: from a copy, without any lock.

The box holds its file alone (`schema.connect`), so it is not opened here. Its bytes are copied, the
database first and its WAL after it. As long as the WAL was not begun anew meanwhile, all that
changed in the database since the copy began is in the copied WAL, too, and SQLite makes a whole
database of the two, as after a power cut.
"""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cleandesk.link import schema
from cleandesk.link.chain import Entry, Verdict
from cleandesk.link.errors import LedgerUnreadableError
from cleandesk.link.store import Store

_WAL_HEADER = 32  # bytes; holds a number that is new each time the WAL is begun anew
_TRIES, _PAUSE_S = 20, 0.05


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events that the subscriber has not answered for.

    Attributes:
        depth: How many.
        numbered: How many were ever made in this file, answered or lost.
        oldest_s: Powered-on time that the oldest has waited; None without any.
    """

    depth: int
    numbered: int
    oldest_s: float | None


class LedgerFile:
    """A ledger as it was at one moment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def entries(self, limit: int | None = None) -> Iterator[Entry]:
        """Yield entries, the oldest first.

        Args:
            limit: Only the newest ones; None for all.
        """
        ledger, after = self._store.ledger, 0
        if limit is not None:
            newest = ledger.page(None, limit)
            after = newest[-1].number - 1 if newest else 0
        while part := ledger.after(after):
            yield from part
            after = part[-1].number

    def waiting(self, boot: str, now: float) -> Waiting:
        """Return what waits for the subscriber.

        Args:
            boot: Id of this power-on.
            now: The present moment in it, seconds.
        """
        since = self._store.waiting_since(boot, now)
        return Waiting(
            depth=self._store.size()[0],
            numbered=self._store.load().next_seq - 1,
            oldest_s=None if since is None else max(0.0, now - since),
        )

    def verify(self) -> Verdict:
        """Walk along the chain."""
        return self._store.ledger.verdict(self._store.load().anchor)


@contextmanager
def read_only(path: Path) -> Iterator[LedgerFile]:
    """Open a box's ledger as it is now; the box may run, and nothing of it is changed.

    Args:
        path: The outbox's file.

    Raises:
        LedgerUnreadableError: If there is none, or none that can be read.
    """
    with tempfile.TemporaryDirectory(prefix="cleandesk-ledger-") as folder:
        copy = Path(folder) / "ledger.db"
        try:
            _copy(path, copy)
        except OSError as error:
            raise LedgerUnreadableError(
                f"{path}: {error.strerror or error}: check outbox.path, that this user may read "
                f"it, and that {folder} has room for a copy"
            ) from error
        try:
            with closing(sqlite3.connect(copy)) as db:
                if schema.version(db, path) != schema.VERSION:
                    raise LedgerUnreadableError(
                        f"{path} has no ledger yet: it begins when the box starts with this version"
                    )
                yield LedgerFile(Store(db))
        except (sqlite3.Error, ValueError) as error:
            raise LedgerUnreadableError(
                f"{path}: {error}: a damaged file is set aside when the box starts, with all that "
                "can be read of it in a new one"
            ) from error


def _copy(path: Path, copy: Path) -> None:
    wal, wal_copy = path.with_name(path.name + "-wal"), copy.with_name(copy.name + "-wal")
    for _ in range(_TRIES):
        before = _header(wal)
        shutil.copyfile(path, copy)
        if before:
            shutil.copyfile(wal, wal_copy)
        else:
            wal_copy.unlink(missing_ok=True)
        if _header(wal) == before:
            return
        time.sleep(_PAUSE_S)
    raise OSError("it changes faster than it can be copied: try again")


def _header(wal: Path) -> bytes:
    try:
        with wal.open("rb") as file:
            return file.read(_WAL_HEADER)
    except FileNotFoundError:
        return b""
