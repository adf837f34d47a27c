"""The outbox's SQLite file: transactions and rows. It knows no policy and no limits."""

import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter

from cleandesk.contract.health import LostRange
from cleandesk.contract.messages import ActiveViolation
from cleandesk.link import schema
from cleandesk.link.chain import START, Anchor
from cleandesk.link.ledger import Ledger
from cleandesk.link.paper_rows import PaperRows
from cleandesk.link.records import Active, Contents, Pending, Record, Seen
from cleandesk.link.schema import DamagedError, check_digest

_LOSSES = TypeAdapter(list[LostRange])


def _check_active(violation_id: str, payload: bytes) -> None:
    if ActiveViolation.model_validate_json(payload).violation_id != violation_id:
        raise ValueError("it is another's")


def losses_json(losses: Sequence[LostRange]) -> bytes:
    """Return lost ranges as they are kept under `lost`."""
    return _LOSSES.dump_json(list(losses))


def _check_value(meta: Mapping[str, object]) -> int:
    return zlib.crc32(repr(sorted(meta.items())).encode())


class Store:
    """One open outbox file. Not thread-safe; each method may raise `sqlite3.Error`.

    Attributes:
        ledger: Its entries.
        papers: What waits beside events.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.ledger, self.papers = Ledger(db), PaperRows(db)

    @classmethod
    def create(cls, path: Path, epoch: str) -> "Store":
        """Make a new file with this epoch."""
        store = cls(schema.connect(path))
        try:
            with store.transaction():
                schema.create(store._db)
                store.put_meta({"epoch": epoch, "next_seq": 1}, {})
        except sqlite3.Error:
            store.close()
            raise
        return store

    @classmethod
    def open(cls, path: Path) -> "Store | None":
        """Open an existing file and check all of it; None if nothing was ever written to it.

        A file of an older version becomes one of this.

        Raises:
            OutboxAccessError: If it is some other database, or of a newer version.
            sqlite3.Error: If it is damaged (`trouble`), or cannot be read.
        """
        db = schema.connect(path)
        try:
            found = schema.version(db, path)
            if found is not None:
                schema.check(db)
                store = cls(db)
                if found < schema.VERSION:
                    with store.transaction():
                        schema.upgrade(db)
                return store
        except BaseException:
            db.close()
            raise
        db.close()
        return None

    def close(self) -> None:
        """Close the file; without an open transaction nothing is lost by it."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is done inside, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def load(self) -> Contents:
        """Return all but the events and the active topics."""
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        if meta.pop("check", None) != _check_value(meta):
            raise DamagedError("the meta table is not what was written")
        try:
            anchor = Anchor(int(meta.get("anchor", 0)), bytes(meta.get("anchor_chain", START)))
            return Contents(
                epoch=str(meta["epoch"]),
                next_seq=int(meta["next_seq"]),
                state=meta.get("state"),
                refused=int(meta.get("refused", 0)),
                losses=tuple(_LOSSES.validate_json(meta.get("lost", b"[]"))),
                anchor=anchor,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"meta table: {error!r}") from error

    def active(self) -> Iterator[tuple[str, Active]]:
        """Yield the active topics."""
        for violation_id, payload, published, *entry in self._db.execute("SELECT * FROM active"):
            try:
                if payload:
                    _check_active(violation_id, payload)
                yield violation_id, Active(bytes(payload), bool(published), int(*entry))
            except (TypeError, ValueError) as error:
                raise DamagedError(f"open violation {violation_id!r}: {error}") from error

    def seen(self) -> Seen | None:
        """Return the last moment that was noted."""
        found = dict(self._db.execute("SELECT key, value FROM meta WHERE key LIKE 'seen%'"))
        return Seen(found["seen_boot"], found["seen_mono"]) if len(found) == 2 else None  # noqa: PLR2004

    def put_meta(self, values: Mapping[str, object], before: Mapping[str, object]) -> None:
        """Make the single values these, given what they were; None is a value not known yet."""
        known = {key: value for key, value in values.items() if value is not None}
        changed = {key: value for key, value in known.items() if before.get(key) != value}
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [*changed.items(), ("check", _check_value(known))],
        )

    def put_active(self, wanted: Mapping[str, Active], stored: Mapping[str, Active]) -> None:
        """Make the table of active topics what is wanted, given what it is."""
        self._db.executemany(
            "DELETE FROM active WHERE violation_id = ?",
            [(violation_id,) for violation_id in stored if violation_id not in wanted],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO active VALUES (?, ?, ?, ?)",
            [
                (violation_id, active.payload, active.published, active.entry)
                for violation_id, active in wanted.items()
                if stored.get(violation_id) != active
            ],
        )

    def insert(
        self, first_id: int, records: Sequence[Record], seen: Seen, entries: Mapping[str, int]
    ) -> None:
        """Add events, in order, as ids from `first_id` on.

        Args:
            first_id: Of the first one.
            records: The events.
            seen: When they were made.
            entries: Their numbers in the ledger, by event_id; what has none is not sent.
        """
        self._db.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
            [
                (
                    first_id + at,
                    r.epoch,
                    r.seq,
                    r.event_id,
                    r.digest,
                    r.payload,
                    seen.boot,
                    seen.mono,
                    entries.get(r.event_id, 0),
                )
                for at, r in enumerate(records)
            ],
        )

    def delete(self, ids: Collection[int]) -> None:
        """Remove events."""
        self._db.executemany("DELETE FROM events WHERE id = ?", [(id_,) for id_ in ids])

    def drop_oldest(self, events: int, size: int) -> list[tuple[str, int, int]]:
        """Remove oldest events until so many, and so many bytes, are gone.

        Returns:
            (epoch, seq, bytes) of each, oldest first.
        """
        rows = self._db.execute("SELECT id, epoch, seq, length(payload) FROM events ORDER BY id")
        dropped: list[tuple[int, str, int, int]] = []
        while (len(dropped) < events or size > 0) and (row := rows.fetchone()) is not None:
            dropped.append(row)
            size -= row[3]
        rows.close()
        self.delete([row[0] for row in dropped])
        return [row[1:] for row in dropped]

    def pending(self, after: int, limit: int) -> list[Pending]:
        """Return the next events after an id, oldest first: those that are in the ledger."""
        rows = self._db.execute(
            "SELECT id, event_id, digest, payload, entry FROM events WHERE id > ? AND entry > 0 "
            "ORDER BY id LIMIT ?",
            (after, limit),
        )
        found: list[Pending] = []
        for id_, event_id, digest, payload, entry in rows:
            check_digest(id_, digest, payload)
            found.append(Pending(id_, event_id, payload, entry))
        return found

    def unentered(self) -> list[tuple[str, bytes]]:
        """Return (event_id, payload) of waiting events that are not in the ledger, in order."""
        return self._db.execute(
            "SELECT event_id, payload FROM events WHERE entry = 0 ORDER BY id"
        ).fetchall()

    def set_entries(self, entries: Iterable[tuple[str, int]]) -> None:
        """Note the ledger's numbers of events, by event_id."""
        self._db.executemany(
            "UPDATE events SET entry = ? WHERE event_id = ?",
            [(number, event_id) for event_id, number in entries],
        )

    def first_entry(self) -> int | None:
        """Return the lowest entry of an event that waits."""
        first: int | None = self._db.execute(
            "SELECT min(entry) FROM events WHERE entry > 0"
        ).fetchone()[0]
        return first

    def find(self, event_id: str) -> tuple[int, int, int] | None:
        """Return (id, bytes, entry) of an event."""
        row: tuple[int, int, int] | None = self._db.execute(
            "SELECT id, length(payload), entry FROM events WHERE event_id = ?", (event_id,)
        ).fetchone()
        return row

    def find_digests(self, digests: Collection[bytes]) -> list[tuple[str, bytes]]:
        """Return (event_id, digest) of the events with these digests; reads the whole table."""
        return [
            (event_id, digest)
            for event_id, digest in self._db.execute("SELECT event_id, digest FROM events")
            if digest in digests
        ]

    def size(self) -> tuple[int, int]:
        """Return how many events wait, and their payloads' bytes."""
        row = self._db.execute(
            "SELECT count(*), coalesce(sum(length(payload)), 0) FROM events"
        ).fetchone()
        return row[0], row[1]

    def last_id(self) -> int:
        """Return the highest id in the file, 0 without any."""
        last: int = self._db.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
        return last

    def spans(self) -> dict[str, tuple[int, int]]:
        """Return the lowest and highest number of each epoch that waits, oldest epoch first."""
        rows = self._db.execute(
            "SELECT epoch, min(seq), max(seq) FROM events GROUP BY epoch ORDER BY min(id)"
        )
        return {epoch: (first, last) for epoch, first, last in rows}

    def first_seq(self, epoch: str) -> int | None:
        """Return the lowest number of an epoch that waits."""
        first: int | None = self._db.execute(
            "SELECT min(seq) FROM events WHERE epoch = ?", (epoch,)
        ).fetchone()[0]
        return first

    def waiting_since(self, boot: str, loaded: float) -> float | None:
        """Return the moment from which the oldest event has waited, on this power-on's clock.

        Time that an event waited in earlier power-ons moves it back; one that was not carried over
        yet counts from the moment of loading.
        """
        row = self._db.execute(
            "SELECT boot, mono, waited FROM events ORDER BY id LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        return float((row[1] if row[0] == boot else loaded) - row[2])

    def carry_over(self, now: Seen) -> None:
        """Put events of earlier power-ons on this one's clock, keeping what they have waited."""
        last = self.seen()
        if last is not None and last.boot != now.boot:
            self._db.execute(
                "UPDATE events SET waited = waited + max(0, ? - mono) WHERE boot = ?",
                (last.mono, last.boot),
            )
        self._db.execute(
            "UPDATE events SET boot = ?, mono = ? WHERE boot != ?", (now.boot, now.mono, now.boot)
        )
