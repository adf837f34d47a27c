"""The outbox's SQLite file as a whole: how it is opened, what its tables are, how old ones grow up.

WAL with full synchronisation: what a transaction committed survives the power cut after it. The
lock on the file is exclusive, so that it needs no `-shm` file, which a full disk would refuse.
"""

import hashlib
import sqlite3
from enum import Enum
from pathlib import Path

from cleandesk.link.errors import OutboxAccessError

VERSION = 2
_BEFORE_THE_LEDGER = 1

#: What makes a file of version 2 from one of version 1. What waits in it has no entry yet: it is
#: entered before it is sent again (`Store.unentered`).
_LEDGER = (
    "ALTER TABLE events ADD COLUMN entry INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE active ADD COLUMN entry INTEGER NOT NULL DEFAULT 0",
    # The last three are as wide from the beginning as they will ever be, so that what became of a
    # message can be noted on a full disk.
    """CREATE TABLE ledger (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, clock_synced INTEGER NOT NULL,
        kind TEXT NOT NULL, topic TEXT NOT NULL, message_id TEXT NOT NULL, payload BLOB NOT NULL,
        chain BLOB NOT NULL, tried INTEGER NOT NULL, sent_ms INTEGER NOT NULL,
        answer INTEGER NOT NULL)""",
    """CREATE INDEX ledger_named ON ledger (message_id)
        WHERE kind IN ('appeal', 'cmd', 'note')""",
    "CREATE INDEX ledger_unconfirmed ON ledger (number) WHERE tried = 1 AND sent_ms < 0",
    """CREATE TABLE papers (
        id INTEGER PRIMARY KEY AUTOINCREMENT, entry INTEGER NOT NULL,
        answered INTEGER NOT NULL, boot TEXT NOT NULL, since REAL NOT NULL,
        hold_s REAL NOT NULL)""",
    f"PRAGMA user_version = {VERSION}",
)
_SCHEMA = (
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
        event_id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, payload BLOB NOT NULL,
        boot TEXT NOT NULL, mono REAL NOT NULL, waited REAL NOT NULL, UNIQUE (epoch, seq))""",
    "CREATE TABLE active (violation_id TEXT PRIMARY KEY, payload BLOB, published INTEGER)",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value)",
    *_LEDGER,
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
    """Open the file as this package uses it."""
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


def create(db: sqlite3.Connection) -> None:
    """Make the tables; the transaction is the caller's."""
    for statement in _SCHEMA:
        db.execute(statement)


def version(db: sqlite3.Connection, path: Path) -> int | None:
    """Return the schema's version, 1 or 2; None if nothing was ever written to the file.

    Raises:
        OutboxAccessError: If it is some other database, or of a newer version.
    """
    (found,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if found == 0 and tables == 0:
        return None
    if found not in {_BEFORE_THE_LEDGER, VERSION}:
        raise OutboxAccessError(
            f"outbox {path} is another kind of database (version {found}, not {VERSION}): "
            "install the software that wrote it, or set outbox.path to another file"
        )
    return int(found)


def check(db: sqlite3.Connection) -> None:
    """Check the whole file but the ledger's chain.

    Raises:
        sqlite3.Error: If it is damaged.
    """
    findings = [row[0] for row in db.execute("PRAGMA integrity_check(1)")]
    if findings != ["ok"]:
        raise DamagedError(str(findings))
    # SQLite looks after its pages, not after what is written in them.
    for id_, digest, payload in db.execute("SELECT id, digest, payload FROM events"):
        check_digest(id_, digest, payload)


def upgrade(db: sqlite3.Connection) -> None:
    """Make the newest version of an older file; the transaction is the caller's."""
    for statement in _LEDGER:
        db.execute(statement)


def check_digest(id_: int, digest: object, payload: object) -> None:
    """Refuse an event whose bytes are not those that were committed."""
    if not isinstance(payload, bytes) or hashlib.sha256(payload).digest() != digest:
        raise DamagedError(f"event {id_} is not what was written")
