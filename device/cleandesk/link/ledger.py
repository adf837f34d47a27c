"""The ledger's rows in the outbox's file: entries in order, and what became of each."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cleandesk.contract.messages import AckStatus, timestamp
from cleandesk.link.chain import DAMAGE, NOTE, Anchor, Entry, Gap, Verdict, Walk

COLUMNS = (
    "number, at, clock_synced, kind, topic, message_id, payload, chain, tried, sent_ms, answer"
)
_NEVER_MS = -(1 << 46)  # as wide on the disk as a moment
_ANSWERS = dict(enumerate([None, *AckStatus], start=2))  # one byte each; 0 and 1 take none
_CODES = {answer: code for code, answer in _ANSWERS.items()}
_SLICE = 500
#: What an entry takes on the disk beside its payload, roughly.
OVERHEAD = 256
_NAMED = "kind IN ('appeal', 'cmd', 'note')"  # to the letter: the index is made for it


@dataclass(slots=True)
class Marks:
    """What became of entries, and is not on the disk yet.

    Attributes:
        tried: Entries that are about to be handed to the broker's connection.
        untried: Entries that the broker refused: nobody has them.
        sent: When the broker confirmed an entry, milliseconds since 1970.
        answers: What the subscriber said.
    """

    tried: set[int] = field(default_factory=set)
    untried: set[int] = field(default_factory=set)
    sent: dict[int, int] = field(default_factory=dict)
    answers: dict[int, AckStatus] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tried or self.untried or self.sent or self.answers)


class Ledger:
    """Entries on file. Not thread-safe; each method may raise `sqlite3.Error`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def append(self, entries: Iterable[Entry]) -> None:
        """Add entries that were numbered and chained."""
        self._db.executemany(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.number,
                    one.at,
                    one.clock_synced,
                    one.kind,
                    one.topic,
                    one.message_id,
                    one.payload,
                    one.chain,
                    one.tried,
                    _milliseconds(one.sent_at),
                    _CODES[AckStatus(one.answer) if one.answer else None],
                )
                for one in entries
            ],
        )

    def page(self, before: int | None, limit: int) -> list[Entry]:
        """Return entries, the newest first."""
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM ledger WHERE number < ? ORDER BY number DESC LIMIT ?",  # noqa: S608 - constants
            ((1 << 62) if before is None else before, limit),
        )
        return [entry(row) for row in rows]

    def after(self, number: int, limit: int = _SLICE) -> list[Entry]:
        """Return the entries that follow a number, the oldest first."""
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM ledger WHERE number > ? ORDER BY number LIMIT ?",  # noqa: S608 - constants
            (number, limit),
        )
        return [entry(row) for row in rows]

    def gaps(self) -> tuple[Gap, ...]:
        """Return what damaged files have lost, by the notes about it."""
        rows = self._db.execute(
            f"SELECT payload FROM ledger WHERE {_NAMED} AND message_id = ? AND kind = ?",  # noqa: S608 - constants
            (DAMAGE, NOTE),
        )
        return tuple(gap for (payload,) in rows for gap in _gaps(payload))

    def head(self, anchor: Anchor) -> Anchor:
        """Return number and hash of the newest entry; the anchor's where there is none."""
        row = self._db.execute(
            "SELECT number, chain FROM ledger ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return anchor if row is None else Anchor(row[0], row[1])

    def size(self) -> int:
        """Return roughly what the entries take, bytes."""
        row = self._db.execute(
            f"SELECT coalesce(sum(length(payload) + {OVERHEAD}), 0) FROM ledger"  # noqa: S608 - a constant
        ).fetchone()
        return int(row[0])

    def find(self, one: tuple[str, str, str, bytes]) -> int | None:
        """Return the number of an appeal or an answer that was entered already.

        Args:
            one: Kind, topic, message id and payload.
        """
        kind, topic, message_id, payload = one
        row = self._db.execute(
            f"SELECT number FROM ledger WHERE {_NAMED} AND message_id = ? AND kind = ? "  # noqa: S608 - a constant
            "AND topic = ? AND payload = ?",
            (message_id, kind, topic, payload),
        ).fetchone()
        return None if row is None else int(row[0])

    def has(self, number: int) -> bool:
        """Say whether an entry is there."""
        found = self._db.execute("SELECT 1 FROM ledger WHERE number = ?", (number,))
        return found.fetchone() is not None

    def mark(self, marks: Marks) -> None:
        """Note what became of entries."""
        self._db.executemany(
            "UPDATE ledger SET tried = 1 WHERE number = ?", [(one,) for one in marks.tried]
        )
        self._db.executemany(
            "UPDATE ledger SET tried = 0 WHERE number = ?", [(one,) for one in marks.untried]
        )
        self._db.executemany(
            f"UPDATE ledger SET sent_ms = ? WHERE number = ? AND sent_ms = {_NEVER_MS}",  # noqa: S608 - a constant
            [(moment, number) for number, moment in marks.sent.items()],
        )
        self._db.executemany(
            "UPDATE ledger SET answer = ? WHERE number = ?",
            [(_CODES[answer], number) for number, answer in marks.answers.items()],
        )

    def unconfirmed(self) -> list[Entry]:
        """Return what was handed to a connection and not confirmed, the oldest first."""
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM ledger WHERE tried = 1 AND sent_ms < 0 ORDER BY number"  # noqa: S608 - constants
        )
        return [entry(row) for row in rows]

    def prune(self, before: str, size: int, limit: int) -> tuple[Anchor, int] | None:
        """Delete oldest entries: those of before a moment, and until so many bytes are gone.

        Args:
            before: RFC 3339 as in `at`. Entries of an untrusted clock are as old as the next ones.
            size: Bytes that are too many; 0 or less for none.
            limit: No entry with this number or a higher one.

        Returns:
            The newest that was deleted, and the bytes of all; None if none was.
        """
        rows = self._db.execute(
            "SELECT number, chain, at, clock_synced, length(payload) FROM ledger "
            "WHERE number < ? ORDER BY number LIMIT ?",
            (limit, _SLICE),
        ).fetchall()
        anchor, freed, passed = None, 0, 0
        for number, chain, at, synced, length in rows:
            wanted = (synced and at < before) or passed < size
            passed += length + OVERHEAD
            if wanted:
                anchor, freed = Anchor(number, chain), passed
        if anchor is None:
            return None
        self._db.execute("DELETE FROM ledger WHERE number <= ?", (anchor.number,))
        return anchor, freed

    def verdict(self, anchor: Anchor) -> Verdict:
        """Walk along the whole chain."""
        walk = Walk(anchor, self.gaps())
        while part := self.after(walk.head.number):
            walk.follow(part)
            if walk.wrong is not None:
                break
        return walk.verdict()


def entry(row: Sequence[Any]) -> Entry:
    """Return a row as an entry.

    Raises:
        ValueError: If it is not what was written.
    """
    types = (int, str, int, str, str, str, bytes, bytes, int, int, int)
    if not all(isinstance(value, type_) for value, type_ in zip(row, types, strict=True)):
        raise ValueError(f"entry {row[0]!r} is not what was written")
    number, at, synced, kind, topic, message_id, payload, chain, tried, sent_ms, answer = row
    return Entry(
        number,
        at,
        bool(synced),
        kind,
        topic,
        message_id,
        payload,
        chain,
        tried=bool(tried),
        sent_at=_moment(sent_ms),
        answer=_ANSWERS.get(answer),
    )


def damage(gaps: Iterable[Gap]) -> bytes:
    """Return the payload of the note about entries that are lost."""
    return json.dumps({"missing": [[gap.first, gap.last] for gap in gaps]}).encode()


def _gaps(payload: bytes) -> list[Gap]:
    try:
        return [Gap(int(first), int(last)) for first, last in json.loads(payload)["missing"]]
    except (KeyError, TypeError, ValueError):
        return []  # then the walk finds the gap that it does not explain


def milliseconds(moment: datetime) -> int:
    """Return a moment as it is kept."""
    return int(moment.timestamp() * 1000)


def _moment(sent_ms: int) -> str | None:
    return None if sent_ms < 0 else timestamp(datetime.fromtimestamp(sent_ms / 1000, UTC))


def _milliseconds(sent_at: str | None) -> int:
    return _NEVER_MS if sent_at is None else milliseconds(datetime.fromisoformat(sent_at))
