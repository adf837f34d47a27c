"""The log as a SQLite file."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool, StaticPool

from cleandesk_fleet.sqlite import explicit_transactions
from cleandesk_fleet.subscriber.database.agreement import Deletion, agree
from cleandesk_fleet.subscriber.database.errors import DatabaseUnusableError
from cleandesk_fleet.subscriber.database.versions import bring_up_to_date, check_version

#: Another process holds the file: wait so long before the commit is tried anew.
BUSY_S = 2.0


def open_writer(path: Path, deletion: Deletion | None) -> Engine:
    """Open a file for writing; WAL, synchronous FULL."""
    try:
        if not path.exists():
            _make(path)
        engine = _writing(path)
        with engine.begin() as connection:
            bring_up_to_date(connection, str(path))
            if deletion is not None:
                agree(connection, deletion, str(path), alone=True)
    except (DatabaseError, OSError) as error:
        raise DatabaseUnusableError(_unusable(path, error)) from error
    return engine


def _writing(path: Path, pool: type[StaticPool | NullPool] = StaticPool) -> Engine:
    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        return raw

    engine = create_engine("sqlite://", creator=connect, poolclass=pool)
    explicit_transactions(engine, "BEGIN IMMEDIATE")
    return engine


def _make(path: Path) -> None:
    """Make the log beside its place and move it there: nobody ever finds half a log."""
    draft = path.with_name(f"{path.name}.new")
    for left in (draft, draft.with_name(f"{draft.name}-wal"), draft.with_name(f"{draft.name}-shm")):
        left.unlink(missing_ok=True)
    engine = _writing(draft)
    with engine.begin() as connection:
        bring_up_to_date(connection, str(path))
    engine.dispose()
    draft.replace(path)


def open_beside(path: Path) -> Engine:
    """Open a file for writing beside the subscriber; each commit is short, as each waits."""
    _must_be_there(path)
    engine = _writing(path, NullPool)
    _check(path, engine)
    return engine


def open_reader(path: Path) -> Engine:
    """Open a file for reading only."""
    _must_be_there(path)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, check_same_thread=False
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    explicit_transactions(engine, "BEGIN")
    _check(path, engine)
    return engine


def _must_be_there(path: Path) -> None:
    if not path.is_file():
        raise DatabaseUnusableError(
            f"no log at {path}: check 'store.path' in the configuration, or --db; "
            "`cleandesk-subscriber run` makes it"
        )


def _check(path: Path, engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            check_version(connection, str(path))
    except DatabaseError as error:
        raise DatabaseUnusableError(_unusable(path, error)) from error


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Keep other subscribers of this machine from writing the same file."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseUnusableError(
            f"{lock}: {error.strerror}: give the subscriber a folder that it may write"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    except BlockingIOError:
        owner = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
        raise DatabaseUnusableError(
            f"{path}: another subscriber writes this log (process {owner}): stop it first, or give "
            "this one its own 'store.path' and 'client_id'"
        ) from None
    finally:
        os.close(handle)


def _unusable(path: Path, error: Exception) -> str:
    reason = getattr(error, "orig", error)
    return (
        f"{path}: {reason}: check that it is a cleandesk log, that this user may read and write it "
        "and its folder, and that the disk has room"
    )
