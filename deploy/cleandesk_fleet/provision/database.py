"""How the one file with the state of provisioning is opened."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool, Pool, StaticPool

from cleandesk_fleet.provision.errors import ProvisionError
from cleandesk_fleet.provision.tables import VERSION, meta, metadata
from cleandesk_fleet.sqlite import explicit_transactions

#: Another process writes: wait so long for it.
_BUSY_S = 10.0


def open_database(path: Path, *, dry: bool = False) -> Engine:
    """Open the state, mode 0600; make it if there is none. Commits reach the disk.

    Args:
        path: The file.
        dry: Where there is none, none is made: what is worked out stays in memory.

    Raises:
        ProvisionError: If it cannot be opened, or another version of the software made it.
    """
    in_memory = dry and not path.exists()
    engine = _engine(":memory:" if in_memory else str(path), StaticPool if in_memory else NullPool)
    try:
        if not in_memory:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with engine.begin() as connection:
            metadata.create_all(connection)
            found = connection.scalar(select(meta.c.value).where(meta.c.name == "schema"))
            if found is None:
                connection.execute(meta.insert().values(name="schema", value=str(VERSION)))
    except (DatabaseError, OSError) as error:
        reason = getattr(error, "orig", error)
        raise ProvisionError(
            f"{path}: {reason}: check that it is the state of cleandesk-provision, that this user "
            "may write it and its folder, and that the disk has room"
        ) from error
    if found not in (None, str(VERSION)):
        raise ProvisionError(
            f"{path}: has schema {found}, this software works with {VERSION}: use the version that "
            "wrote it, or a newer one"
        )
    return engine


def _engine(file: str, pool: type[Pool]) -> Engine:
    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(file, timeout=_BUSY_S, check_same_thread=False)
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        return raw

    # Hidden, as an error's text would hold them: hashes of tokens and PINs are among them.
    engine = create_engine("sqlite://", creator=connect, poolclass=pool, hide_parameters=True)
    explicit_transactions(engine, "BEGIN IMMEDIATE")
    return engine
