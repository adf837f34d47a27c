"""What is due is deleted, a part in each look: by one subscriber, for all who write a log."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from cleandesk_fleet.subscriber import proofs, retention
from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    make_ahead,
    reason_of,
    skew,
    still_keeps_house,
)
from cleandesk_fleet.subscriber.moments import Moment
from cleandesk_fleet.subscriber.proofs import Turn
from cleandesk_fleet.subscriber.stills import are_due, delete_due, tell, unknown
from cleandesk_fleet.subscriber.transaction import Terms

log = logging.getLogger(__name__)

_SWEEP_EVERY_S = 3600.0
_DELETE_EVERY_S = 60.0
#: A commit takes less: a file that is older and has no row will have none.
_YOUNG_S = 3600.0
#: So much of the folder is looked at in a turn, and so much of it deleted: who says nothing for ten
#: seconds is taken for frozen, and a folder may be far away.
_FILES_A_TURN, _A_TURN_S, _DROPS_A_TURN = 200, 1.0, 20
_FAILS = (SQLAlchemyError, OSError, DatabaseUnusableError)


class Housekeeping:
    """Deletes stills, then events and all that hangs on them.

    Args:
        engine: Of the log, for writing.
        terms: What is kept, and for how long.
    """

    def __init__(self, engine: Engine, terms: Terms) -> None:
        self._engine, self._terms = engine, terms
        self._redundant = terms.gap_after is not None
        self._sweep_at = self._delete_at = 0.0
        self._files: Iterator[Path] | None = None  # what is left of the folder in this sweep
        self._again: list[Path] = []  # looked at, and not deleted yet
        self._months = retention.Months()

    def delete_due(self, now: Moment) -> None:
        """Delete what is due, if this is the one to do it; a large part takes several calls.

        Raises:
            DatabaseError: If the database is locked, full or broken; it is tried again.
            DatabaseUnusableError: If another one may delete by now, or both parts failed.
            OSError: If a picture cannot be deleted; it is tried again the next time.
        """
        with self._house() as connection:
            off = skew(connection, now.utc)
            if abs(off) > self._terms.most_skew:
                self._tell_skew(off, now)
                return
            sweeps = now.mono >= self._sweep_at
            if sweeps:
                # Where it fails, too: it must not hold up what is due each second.
                self._sweep_at = now.mono + _SWEEP_EVERY_S
                make_ahead(connection, now.utc)
        failed: list[Exception] = []
        # A folder of pictures that is gone is no reason to keep events.
        for delete in (partial(self._delete_stills, sweeps=sweeps), self._delete_rows):
            try:
                delete(now)
            except _FAILS as error:
                failed.append(error)
        if len(failed) > 1:
            raise DatabaseUnusableError("; and: ".join(map(reason_of, failed))) from failed[-1]
        if failed:
            raise failed[0]

    @contextmanager
    def _house(self) -> Iterator[Connection]:
        """Begin a transaction over the connection by which it falls to us to delete."""
        with self._engine.begin() as connection:
            if self._redundant and not still_keeps_house(connection):
                raise DatabaseUnusableError(
                    "the connection to the database was cut off, and another subscriber may delete "
                    "by now: nothing is deleted until that is seen anew"
                )
            yield connection

    def _delete_stills(self, now: Moment, *, sweeps: bool) -> None:
        album = self._terms.album
        if album.refuses is not None:
            # Whose pictures lie elsewhere finds none of them, and that is no proof.
            with self._house() as connection:
                due = sweeps and are_due(connection, now.utc, album.keep)
            if due:
                log.error(
                    "stills are not deleted after their time: this subscriber judges, and "
                    "does not know where they lie; set 'stills.folder' as at the one that "
                    "takes them in, or end this one, so that it falls to that one",
                    extra={"reason": album.refuses},
                )
            return
        if sweeps and self._files is None:
            self._files = album.pictures.files()
        self._sweep()
        with self._house() as connection:
            gone = delete_due(connection, album.pictures, now.utc, album.keep)
        tell(gone)

    def _sweep(self) -> None:
        """Go on through the folder, and delete what belongs to no row: of a commit that failed.

        No transaction waits for the folder.
        """
        pictures, some = self._terms.album.pictures, self._next()
        if not some:
            return
        with self._house() as connection:
            nobodys = unknown(connection, pictures, some)
        # A row may come for the others until it is their turn.
        now, self._again = nobodys[:_DROPS_A_TURN], nobodys[_DROPS_A_TURN:]
        left = pictures.drop(now, older_than_s=_YOUNG_S if self._redundant else 0)
        if left:
            log.warning("pictures that no row knew of were deleted", extra={"files": left})

    def _next(self) -> list[Path]:
        """Return what is to be looked at in this turn."""
        if self._again or self._files is None:
            return self._again
        some, until = [], time.monotonic() + _A_TURN_S
        for path in self._files:
            some.append(path)
            if len(some) >= _FILES_A_TURN or time.monotonic() > until:
                return some
        self._files = None
        return some

    def _delete_rows(self, now: Moment) -> None:
        keep = self._terms.keep
        if keep is not None and now.mono >= self._delete_at:
            # Where it fails, too: what it waited for, all who write waited for.
            self._delete_at = now.mono + _DELETE_EVERY_S
            if self._delete_old(now, keep):
                # What is left is deleted in the next turn, so that what arrives does not wait.
                self._delete_at = now.mono

    def _tell_skew(self, off: timedelta, now: Moment) -> None:
        """Log that nothing is deleted, as often as it would have been."""
        if now.mono >= self._delete_at:
            self._delete_at = now.mono + _DELETE_EVERY_S
            log.error(
                "nothing is deleted after its time: this machine's clock and the database's "
                "differ; set them (timedatectl)",
                extra={"ahead_s": off.total_seconds()},
            )

    def _delete_old(self, now: Moment, keep: timedelta) -> bool:
        """Delete a part of what came so long ago; say whether there may be more."""
        with self._house() as connection:
            rows = retention.delete_old(connection, now.utc, keep)
        self._prove(rows)
        with self._house() as connection:
            months = self._months.delete_old(connection, now.utc, keep)
        self._months.committed()
        self._prove(months)
        return rows.more or months.more

    def _prove(self, turn: Turn) -> None:
        """Tell what is deleted for certain only now, and count what is left of it."""
        proofs.tell(turn.proofs)
        with self._engine.begin() as connection:
            left = proofs.count_left(connection, turn.over)
        proofs.tell_left(left)
