"""Whose pictures a folder holds: a mark in it that the log knows.

Without one, a folder that was not mounted, or that of another machine, would do: pictures would be
kept where nobody deletes them, and others be said to be gone that were never there.
"""

import secrets
from pathlib import Path

from sqlalchemy import Connection, Engine, exists, select

from cleandesk_fleet.subscriber.database import DatabaseUnusableError, bulk
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.tables import meta, stills

#: The mark's name in `meta`, and that of one with which a folder is about to be marked.
_FOLDER, _NEXT = "stills_folder", "stills_folder_next"
#: Why several subscribers take no stills where nobody said which folder they share.
NOT_NAMED = (
    "several subscribers write this log, and 'stills.folder' is not set: set it for all of them to "
    "one folder that they share"
)


def claim(engine: Engine, folder: Path, *, named: bool, shared: bool) -> Pictures | None:
    """Return a log's pictures in this folder, if it is theirs; a first one is marked as such.

    Args:
        engine: Of the log, for writing.
        folder: Where the pictures are said to lie.
        named: Whether the settings name it; otherwise it lies beside the log, or on this machine.
        shared: Whether other subscribers write the same log.

    Returns:
        None if no picture can be kept, by `NOT_NAMED`.

    Raises:
        DatabaseUnusableError: If it is another one, or cannot be used.
    """
    pictures = Pictures(folder)
    try:
        with engine.begin() as connection:
            known = mark_of(connection)
            if known is None:
                if shared and not named:
                    _none_are_kept(connection, folder)
                    return None
                if not shared and not _needs_mark(connection, folder, named=named):
                    return pictures
            anew = not shared and known is not None and _begins_anew(connection, pictures)
        if known is None or anew:
            known = _begin(engine, pictures, instead_of=known)
    except OSError as error:
        raise DatabaseUnusableError(
            f"{folder}: {error.strerror}: mount it, or set 'stills.folder' to a folder that the "
            "subscriber may write"
        ) from error
    ours = Pictures(folder, known)
    if (found := ours.mark()) is None:
        raise DatabaseUnusableError(_no_mark(ours, known))
    if found != known:
        raise DatabaseUnusableError(_anothers(ours))
    return ours


def mark_of(connection: Connection) -> str | None:
    """Return the mark of the folder in which a log's pictures lie, if it has one."""
    return _value(connection, _FOLDER)


def _begins_anew(connection: Connection, pictures: Pictures) -> bool:
    """Say whether a log without pictures goes on in a folder that nobody has marked.

    Under a new mark: what has the old one may only not be mounted, with pictures that a commit that
    failed has left, and would else be taken for this folder when it is.
    """
    return not _kept(connection) and pictures.mark() in {None, _value(connection, _NEXT)}


def _begin(engine: Engine, pictures: Pictures, *, instead_of: str | None) -> str:
    """Mark a folder as the log's, unless another subscriber has marked one just now.

    What it is marked with is in the log before: who was killed in between goes on the next time.
    """
    new = _announce(engine, pictures)
    with engine.begin() as connection:
        connection.execute(meta.delete().where(meta.c.name == _FOLDER, meta.c.value == instead_of))
        # Whoever comes at the same time waits here for our commit, and looks for the mark only
        # then.
        if not bulk.add(connection, meta, {"name": _FOLDER, "value": new}):
            return mark_of(connection) or new
        if (found := pictures.mark()) is None:
            pictures.set_mark(new)
        elif found != new:
            raise DatabaseUnusableError(_anothers(pictures))
        connection.execute(meta.delete().where(meta.c.name == _NEXT))
    return new


def _announce(engine: Engine, pictures: Pictures) -> str:
    """Commit with what a folder is about to be marked, if it is not marked with that already."""
    new = secrets.token_hex(16)
    with engine.begin() as connection:
        bulk.add(connection, meta, {"name": _NEXT, "value": new})
        announced, found = _value(connection, _NEXT), pictures.mark()
        if announced is not None and found == announced:
            return announced
        if found is not None:
            raise DatabaseUnusableError(_anothers(pictures))
        if not (lacks := _lacks_all(connection, pictures)):
            # Somebody may have marked another folder with it: no two are to have the same mark.
            connection.execute(meta.update().where(meta.c.name == _NEXT).values(value=new))
    if lacks:
        raise DatabaseUnusableError(_none_here(pictures, announced or new))
    return new


def _lacks_all(connection: Connection, pictures: Pictures) -> bool:
    """Say whether the log keeps stills, and the file of none is here."""
    if not _kept(connection):
        return False
    rows = connection.execute(select(stills.c.sha256, stills.c.media_type))
    return not any(pictures.path(row.sha256, row.media_type).exists() for row in rows)


def _value(connection: Connection, name: str) -> str | None:
    return connection.scalar(select(meta.c.value).where(meta.c.name == name))


def _needs_mark(connection: Connection, folder: Path, *, named: bool) -> bool:
    """Say whether to mark the folder of a log that has one writer.

    Beside a file it goes where the file goes. One that is named is made: what is not there yet may
    lie on a disk that is not mounted one day. Elsewhere there is nothing to mark before the first
    picture has made it, on this machine.
    """
    if connection.dialect.name == "sqlite" and not named:
        return False
    if not folder.is_dir() and _kept(connection):
        raise DatabaseUnusableError(
            f"{folder}: no such folder, and the log keeps stills: mount it, or set 'stills.folder' "
            f"to where they lie; if they are lost for good, make it (mkdir -m 700 {folder})"
        )
    return named or folder.is_dir()


def _none_are_kept(connection: Connection, folder: Path) -> None:
    if _kept(connection):
        raise DatabaseUnusableError(
            f"{folder}: the log keeps stills, and nobody can say on which machine they lie: "
            f"{NOT_NAMED}, and move the files of each one's {folder} there"
        )


def _kept(connection: Connection) -> bool:
    return bool(connection.scalar(select(exists().where(stills.c.id > 0))))


def _anothers(pictures: Pictures) -> str:
    return (
        f"{pictures.folder}: holds the pictures of another log: set 'stills.folder' to this log's "
        f"own; if no log uses that one any more, delete {pictures.mark_file}"
    )


def _none_here(pictures: Pictures, announced: str) -> str:
    return (
        f"{pictures.folder}: the log keeps stills, and the file of none is here: mount the folder "
        "where they lie, or set 'stills.folder' to it; if it is this one, and what was in it is "
        f"lost for good, say so: mkdir -p -m 700 {pictures.folder} && "
        f"echo {announced} > {pictures.mark_file}"
    )


def _no_mark(pictures: Pictures, known: str) -> str:
    return (
        f"{pictures.folder}: not where this log's pictures lie: mount that folder, or set "
        "'stills.folder' to it, as at the other subscribers, and move pictures of this one there; "
        "if it is the one, emptied, and what was in it is lost for good, say so: "
        f"echo {known} > {pictures.mark_file}"
    )
