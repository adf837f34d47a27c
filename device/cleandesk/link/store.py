"""The outbox's SQLite file: schema, transactions, rows. It knows no policy and no limits.

WAL with full synchronisation: what a transaction committed survives the power cut after it. The
lock on the file is exclusive, so that it needs no `-shm` file, which a full disk would refuse.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from pydantic import TypeAdapter

from cleandesk.contract.messages import ActiveViolation, LostRange
from cleandesk.link.errors import OutboxAccessError
from cleandesk.link.records import Active, Contents, Pending, Record, Seen

VERSION = 1
_LOSSES = TypeAdapter(list[LostRange])

_SCHEMA = (
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
        event_id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, payload BLOB NOT NULL,
        boot TEXT NOT NULL, mono REAL NOT NULL, waited REAL NOT NULL, UNIQUE (epoch, seq))""",
    "CREATE TABLE active (violation_id TEXT PRIMARY KEY, payload BLOB, published INTEGER)",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value)",
    f"PRAGMA user_version = {VERSION}",
)


class DamagedError(sqlite3.DatabaseError):
    """The file is not the database that was written."""


class Trouble(Enum):
    """What a database error is about: the file, the disk below it, or who may use it."""

    DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    FULL = (sqlite3.SQLITE_FULL,)
    BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    ACCESS = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY)
    FAILING = ()


def trouble(error: sqlite3.Error) -> Trouble:
    """Say what an error is about."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised above SQLite: a row is not what was written
        return Trouble.DAMAGED
    return next((kind for kind in Trouble if code & 0xFF in kind.value), Trouble.FAILING)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file as this module uses it."""
    db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "journal_mode = WAL",
            "synchronous = FULL",
            "wal_autocheckpoint = 256",  # small steps: the loop may be the one that waits for one
        ):
            db.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _checked(db: sqlite3.Connection, path: Path) -> bool:
    """Say whether it is a whole outbox; False if it is empty."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version == 0 and tables == 0:
        return False
    if version != VERSION:
        raise OutboxAccessError(
            f"outbox {path} is another kind of database (version {version}, not {VERSION}): "
            "install the software that wrote it, or set outbox.path to another file"
        )
    findings = [row[0] for row in db.execute("PRAGMA integrity_check(1)")]
    if findings != ["ok"]:
        raise DamagedError(str(findings))
    # SQLite looks after its pages, not after what is written in them.
    for id_, digest, payload in db.execute("SELECT id, digest, payload FROM events"):
        _check_digest(id_, digest, payload)
    return True


def _check_digest(id_: int, digest: object, payload: object) -> None:
    if not isinstance(payload, bytes) or hashlib.sha256(payload).digest() != digest:
        raise DamagedError(f"event {id_} is not what was written")


def _check_active(violation_id: str, payload: bytes) -> None:
    if ActiveViolation.model_validate_json(payload).violation_id != violation_id:
        raise ValueError("it is another's")


def losses_json(losses: Sequence[LostRange]) -> bytes:
    """Return lost ranges as they are kept under `lost`."""
    return _LOSSES.dump_json(list(losses))


def _check_value(meta: Mapping[str, object]) -> int:
    return zlib.crc32(repr(sorted(meta.items())).encode())


class Store:
    """One open outbox file. Not thread-safe; each method may raise `sqlite3.Error`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @classmethod
    def create(cls, path: Path, epoch: str) -> "Store":
        """Make a new file with this epoch."""
        store = cls(connect(path))
        try:
            with store.transaction():
                for statement in _SCHEMA:
                    store._db.execute(statement)
                store.put_meta({"epoch": epoch, "next_seq": 1}, {})
        except sqlite3.Error:
            store.close()
            raise
        return store

    @classmethod
    def open(cls, path: Path) -> "Store | None":
        """Open an existing file and check all of it; None if nothing was ever written to it.

        Raises:
            OutboxAccessError: If it is some other database, or of a newer version.
            sqlite3.Error: If it is damaged (`trouble`), or cannot be read.
        """
        db = connect(path)
        try:
            if _checked(db, path):
                return cls(db)
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
            return Contents(
                epoch=str(meta["epoch"]),
                next_seq=int(meta["next_seq"]),
                state=meta.get("state"),
                refused=int(meta.get("refused", 0)),
                losses=tuple(_LOSSES.validate_json(meta.get("lost", b"[]"))),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"meta table: {error!r}") from error

    def active(self) -> Iterator[tuple[str, Active]]:
        """Yield the active topics."""
        for violation_id, payload, published in self._db.execute("SELECT * FROM active"):
            try:
                if payload:
                    _check_active(violation_id, payload)
                yield violation_id, Active(bytes(payload), bool(published))
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
            "INSERT OR REPLACE INTO active VALUES (?, ?, ?)",
            [
                (violation_id, active.payload, active.published)
                for violation_id, active in wanted.items()
                if stored.get(violation_id) != active
            ],
        )

    def insert(self, first_id: int, records: Sequence[Record], seen: Seen) -> None:
        """Add events, in order, as ids from `first_id` on."""
        self._db.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
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
        """Return the next events after an id, oldest first."""
        rows = self._db.execute(
            "SELECT id, event_id, digest, payload FROM events WHERE id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        found: list[Pending] = []
        for id_, event_id, digest, payload in rows:
            _check_digest(id_, digest, payload)
            found.append(Pending(id_, event_id, payload))
        return found

    def find(self, event_id: str) -> tuple[int, int] | None:
        """Return (id, bytes) of an event."""
        row = self._db.execute(
            "SELECT id, length(payload) FROM events WHERE event_id = ?", (event_id,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

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
