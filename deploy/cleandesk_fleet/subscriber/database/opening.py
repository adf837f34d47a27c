"""Opens the log at its place, whichever kind of database that is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from cleandesk_fleet.subscriber.database import postgresql, sqlite
from cleandesk_fleet.subscriber.database.agreement import Deletion
from cleandesk_fleet.subscriber.database.errors import DatabaseUnusableError

#: A SQLite file, or a PostgreSQL database.
Place = Path | URL


def place_of(text: str) -> Place:
    """Read a place as people write it: a file's path, or `postgresql://user@host/name`.

    Raises:
        ValueError: If it is a URL of another kind, or holds a password.
    """
    if "://" not in text:
        return Path(text)
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is None or url.drivername not in {"postgresql", postgresql.DRIVER}:
        raise ValueError("write postgresql://user@host:5432/name; for SQLite the path of a file")
    if url.password is not None or "password" in url.query:
        raise ValueError(
            "a password does not belong here: put it into a file of mode 0600, name it by "
            "'?passfile=/etc/…/pgpass', and choose a new password"
        )
    return url.set(drivername=postgresql.DRIVER)


def open_writer(
    place: Place, *, redundant: bool = False, deletion: Deletion | None = None
) -> Engine:
    """Open the log for writing; make it if there is none, whole or not at all.

    Commits reach the disk before they return. One connection is kept, for one thread. A log of an
    older version becomes one of this, in one transaction.

    Args:
        place: Where it is.
        redundant: Others write it, too. Each connection is refused where this does not hold of all
            who write it, with a `DatabaseUnusableError` also later; of a file see `sole_writer`.
        deletion: What decides about it: kept in the log, the same for all who write it at a time.
            Each connection is refused where it is not. None: who opens it deletes nothing.

    Raises:
        DatabaseUnusableError: If this is not a log, a newer one, or cannot be written.
    """
    if not isinstance(place, Path):
        return postgresql.open_writer(place, redundant=redundant, deletion=deletion)
    if redundant:
        raise DatabaseUnusableError("a SQLite file has one writer: redundancy needs PostgreSQL")
    return sqlite.open_writer(place, deletion)


def open_beside(place: Place) -> Engine:
    """Open the log for another program or thread, which writes tables of its own, a little.

    Any thread may use it.

    Raises:
        DatabaseUnusableError: As `open_reader`.
    """
    return sqlite.open_beside(place) if isinstance(place, Path) else postgresql.open_beside(place)


def open_reader(place: Place) -> Engine:
    """Open the log for reading only; works while the service writes.

    Raises:
        DatabaseUnusableError: If there is no log at this place, or none that can be read.
    """
    return sqlite.open_reader(place) if isinstance(place, Path) else postgresql.open_reader(place)


@contextmanager
def sole_writer(place: Place) -> Iterator[None]:
    """Keep other subscribers from writing the same file; a server knows by itself who writes.

    Raises:
        DatabaseUnusableError: If another one writes it now, or the place cannot be reached.
    """
    if not isinstance(place, Path):
        yield
        return
    with sqlite.sole_writer(place):
        yield
