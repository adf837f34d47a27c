"""Papers in the outbox's file: entries of the ledger that are to be sent, or answered for."""

import sqlite3
from collections.abc import Collection, Iterable
from typing import Any

from cleandesk.link.paper import Paper
from cleandesk.link.records import Pending, Seen, Waiting
from cleandesk.link.schema import DamagedError

_HELD = "hold_s > 0 AND since + hold_s > ?"


class PaperRows:
    """Papers that wait to be settled. Not thread-safe; may raise `sqlite3.Error`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, waiting: Iterable[Waiting], seen: Seen) -> None:
        """Have entries wait from a moment on."""
        self._db.executemany(
            "INSERT INTO papers (entry, answered, boot, since, hold_s) SELECT ?, ?, ?, ?, ? "
            "WHERE NOT EXISTS (SELECT 1 FROM papers WHERE entry = ?)",
            [
                (one.entry, one.answered, seen.boot, seen.mono, one.hold_s, one.entry)
                for one in waiting
            ],
        )

    def carry_over(self, now: Seen) -> None:
        """Hold back what earlier power-ons held back for all of its time again."""
        self._db.execute(
            "UPDATE papers SET boot = ?, since = ? WHERE boot != ?", (now.boot, now.mono, now.boot)
        )

    def pending(self, *, answered: bool, after: int, limit: int) -> list[Pending]:
        """Return the next papers after an id, oldest first, without stills."""
        return self._pending(
            "answered = ? AND id > ? AND kind != 'still'", (answered, after), limit
        )

    def stills(self, now: float, *, after: int, limit: int) -> list[Pending]:
        """Return the next stills after an id, oldest first, up to one that is held back.

        Args:
            now: The present moment, seconds of this power-on.
            after: An id.
            limit: At most so many.
        """
        held = self._db.execute(
            f"SELECT min(id) FROM papers WHERE {_HELD} AND id > ?",  # noqa: S608 - a constant
            (now, after),
        ).fetchone()[0]
        first = 1 << 62 if held is None else held
        return self._pending("id > ? AND id < ? AND kind = 'still'", (after, first), limit)

    def held(self, now: float) -> int:
        """Return how many are held back."""
        query = f"SELECT count(*) FROM papers WHERE {_HELD}"  # noqa: S608 - a constant
        return int(self._db.execute(query, (now,)).fetchone()[0])

    def answered(self) -> list[tuple[int, int, str]]:
        """Return (id, entry, message id) of all that a subscriber answers for."""
        return self._db.execute(
            "SELECT id, entry, message_id FROM papers JOIN ledger ON number = entry "
            "WHERE answered = 1"
        ).fetchall()

    def payload(self, paper: int) -> bytes:
        """Return what a paper says."""
        row = self._db.execute(
            "SELECT payload FROM papers JOIN ledger ON number = entry WHERE id = ?", (paper,)
        ).fetchone()
        return b"" if row is None else bytes(row[0])

    def delete(self, ids: Collection[int]) -> None:
        """Remove papers that were settled."""
        self._db.executemany("DELETE FROM papers WHERE id = ?", [(id_,) for id_ in ids])

    def drop_oldest(self, most: int) -> None:
        """Give up the oldest where more than so many wait; their entries stay, as not sent."""
        self._db.execute(
            "DELETE FROM papers WHERE id <= (SELECT id FROM papers ORDER BY id DESC "
            "LIMIT 1 OFFSET ?)",
            (most,),
        )

    def drop_oldest_stills(self, most: int) -> int:
        """Give up the oldest stills where more than so many wait; return how many."""
        return self._db.execute(
            "DELETE FROM papers WHERE id IN (SELECT id FROM papers JOIN ledger ON number = entry "
            "WHERE kind = 'still' ORDER BY id DESC LIMIT -1 OFFSET ?)",
            (most,),
        ).rowcount

    def count(self) -> int:
        """Return how many wait."""
        return int(self._db.execute("SELECT count(*) FROM papers").fetchone()[0])

    def last_id(self) -> int:
        """Return the highest id, 0 without any."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM papers").fetchone()[0])

    def first_entry(self) -> int | None:
        """Return the lowest entry that waits."""
        first: int | None = self._db.execute("SELECT min(entry) FROM papers").fetchone()[0]
        return first

    def _pending(self, where: str, values: tuple[int, ...], limit: int) -> list[Pending]:
        columns = "id, entry, answered, topic, message_id, payload, at, clock_synced"
        query = f"SELECT {columns} FROM papers JOIN ledger ON number = entry WHERE {where}"  # noqa: S608 - constants
        rows = self._db.execute(f"{query} ORDER BY id LIMIT ?", (*values, limit))
        return [_waits(*row) for row in rows]


def _waits(id_: int, number: int, answered: int, *of_paper: Any) -> Pending:
    topic, message_id, payload, at, synced = of_paper
    paper = Paper(topic, message_id, payload)
    try:
        user = paper.user(at, clock_synced=bool(synced))
    except ValueError as error:
        raise DamagedError(f"entry {number} is not what was written: {error}") from error
    return Pending(
        id_,
        message_id if answered else str(id_),
        payload,
        entry=number,
        topic=topic,
        correlation=paper.correlation,
        user=user,
    )
