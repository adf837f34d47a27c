"""Who may write a log in PostgreSQL, and which of those who do judges: by advisory locks.

Such a lock ends with its connection: whoever is killed, or cut off, holds none.
"""

import zlib
from collections.abc import Collection

from sqlalchemy import Connection, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from cleandesk_fleet.subscriber.database.errors import DatabaseUnusableError

#: Keys of advisory locks in the log's database.
_MIGRATING, _WRITING, _HOUSE, _NOTICING = 7_205_001, 7_205_002, 7_205_003, 7_205_004
#: With a second part, the sites: a key of two parts is another one than any of one.
_JUDGING = 7_205_005
_HALF = 2**31


def migrate_alone(connection: Connection) -> None:
    """Until the commit keep others from making or changing tables, and from taking a seat."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})


def must_be_alone(connection: Connection, place: str) -> None:
    """See that nobody writes the log until the commit: its tables are about to change.

    Raises:
        DatabaseUnusableError: If somebody does, who would go on by what the tables were.
    """
    if not is_alone(connection):
        raise DatabaseUnusableError(
            f"{place}: it is of an older version, and a subscriber writes it: stop all of them, "
            "then start this one"
        )


def is_alone(connection: Connection) -> bool:
    """Say whether nobody writes the log, nor will until the commit.

    What keeps others away is `migrate_alone`. The lock taken to find out is given back before: of
    those that a commit frees, none is the last, and who waits for a seat would find it taken.
    """
    take = text("SELECT pg_try_advisory_lock(:key)")
    if not connection.scalar(take, {"key": _WRITING}):
        return False
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _WRITING})
    return True


def take_seat(raw: DBAPIConnection, place: str, *, shared: bool) -> None:
    """Take part in writing, for as long as a connection lasts: alone, or with all who share it.

    Raises:
        DatabaseUnusableError: If somebody writes it alone, or others do and we want to be alone.
    """
    kind = "_shared" if shared else ""
    cursor = raw.cursor()
    # Not while somebody looks whether there is anybody.
    cursor.execute(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
    cursor.execute(f"SELECT pg_try_advisory_lock{kind}({_WRITING})")
    row = cursor.fetchone()
    cursor.close()
    raw.commit()
    if row is None or not row[0]:
        raise DatabaseUnusableError(
            f"{place}: another subscriber writes this log"
            + (" alone" if shared else "")
            + ": give each of them 'redundancy', or stop it"
        )


def leads(connection: Connection, *, wanted: bool, sites: Collection[str] | None = None) -> bool:
    """Say whether this connection is the one that judges for all who log the same sites.

    What is written over this connection was written while leading.

    Args:
        connection: A writer's.
        wanted: Try to be, or to stay, the one; else it is left to another one.
        sites: The sites; None: all.
    """
    return _holds(connection, _judging(sites), wanted=wanted)


def still_leads(connection: Connection, sites: Collection[str] | None) -> bool:
    """Say whether this connection is that one, by what it was told; a new one is not."""
    return bool(connection.info.get(_judging(sites)))


def keeps_house(connection: Connection, *, wanted: bool) -> bool:
    """Say whether this connection is the one that deletes what is due, of all sites."""
    return _holds(connection, str(_HOUSE), wanted=wanted)


def still_keeps_house(connection: Connection) -> bool:
    """Say whether this connection is that one, by what it was told; a new one is not."""
    return bool(connection.info.get(str(_HOUSE)))


def taking_turns(connection: Connection) -> None:
    """Keep others from making messages of the same notices until the commit.

    SQLite's writers exclude each other anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _NOTICING})


def _judging(sites: Collection[str] | None) -> str:
    part = 0 if sites is None else zlib.crc32(",".join(sorted(sites)).encode()) - _HALF
    return f"{_JUDGING}, {part}"


def _holds(connection: Connection, key: str, *, wanted: bool) -> bool:
    """Take a lock if it is wanted and free, or let go of it; say whether it is held."""
    held = bool(connection.info.get(key))
    if wanted and not held:
        held = bool(connection.scalar(text(f"SELECT pg_try_advisory_lock({key})")))
    elif held and not wanted:
        connection.execute(text(f"SELECT pg_advisory_unlock({key})"))
        held = False
    connection.info[key] = held
    return held
