"""How the log is opened: everything that depends on the kind of database stands here."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, select
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import NullPool, StaticPool

from cleandesk_fleet.sqlite import explicit_transactions
from cleandesk_fleet.subscriber.migration import migrate
from cleandesk_fleet.subscriber.tables import VERSION, meta, metadata

#: Another process holds the file: wait so long before the commit is tried anew.
BUSY_S = 2.0


class DatabaseUnusableError(Exception):
    """The log cannot be opened; the text says why and what to do."""


def open_writer(path: Path) -> Engine:
    """Open the log for writing; make it if there is none, whole or not at all.

    Commits reach the disk before they return (WAL, synchronous FULL). One connection is kept, for
    one thread. A log of an older version becomes one of this, in one transaction.

    Raises:
        DatabaseUnusableError: If the file is not a log, a newer one, or cannot be written.
    """
    try:
        if not path.exists():
            _make(path)
        engine = _writing(path)
        with engine.begin() as connection:
            migrate(connection)
            _check_version(connection, path)
    except (DatabaseError, OSError) as error:
        raise DatabaseUnusableError(_unusable(path, error)) from error
    return engine


def _writing(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        return raw

    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    explicit_transactions(engine, "BEGIN IMMEDIATE")
    return engine


def _make(path: Path) -> None:
    """Make the log beside its place and move it there: nobody ever finds half a log."""
    draft = path.with_name(f"{path.name}.new")
    for left in (draft, draft.with_name(f"{draft.name}-wal"), draft.with_name(f"{draft.name}-shm")):
        left.unlink(missing_ok=True)
    engine = _writing(draft)
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(meta.insert().values(name="schema", value=str(VERSION)))
    engine.dispose()
    draft.replace(path)


def open_reader(path: Path) -> Engine:
    """Open the log for reading only; works while the service writes.

    Raises:
        DatabaseUnusableError: If there is no log at this path, or none that can be read.
    """
    if not path.is_file():
        raise DatabaseUnusableError(
            f"no log at {path}: check 'store.path' in the configuration, or --db; "
            "`cleandesk-subscriber run` makes it"
        )

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, check_same_thread=False
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    explicit_transactions(engine, "BEGIN")
    try:
        with engine.connect() as connection:
            _check_version(connection, path)
    except DatabaseError as error:
        raise DatabaseUnusableError(_unusable(path, error)) from error
    return engine


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Keep other subscribers of this machine from writing the same log.

    Raises:
        DatabaseUnusableError: If another process writes it now, or the folder is not writable.
    """
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


def will_pass(error: DatabaseError) -> bool:
    """Say whether a failure is the database's (locked, full, I/O), not the statement's."""
    return isinstance(error, OperationalError) or error.connection_invalidated


def _check_version(connection: Connection, path: Path) -> None:
    found = connection.scalar(select(meta.c.value).where(meta.c.name == "schema"))
    if found != str(VERSION):
        older = found is not None and found.isdecimal() and int(found) < VERSION
        raise DatabaseUnusableError(
            f"{path}: this log has schema {found}, this software works with {VERSION}: "
            + (
                "start `cleandesk-subscriber run` once, which brings it up to date"
                if older
                else "use the version of cleandesk-subscriber that wrote it, or a newer one"
            )
        )


def _unusable(path: Path, error: Exception) -> str:
    reason = getattr(error, "orig", error)
    return (
        f"{path}: {reason}: check that it is a cleandesk log, that this user may read and write it "
        "and its folder, and that the disk has room"
    )
