"""The file that says whether the worker has a break; it outlives a kill and a power cut.

What cannot be read is a break: nobody looks at a worker because a file is damaged.
"""

from pathlib import Path

from pydantic import ValidationError

from cleandesk import durable
from cleandesk.worker.breaks import Kept


class UnknownStateError(Exception):
    """Nobody can tell whether there was a break; the text names the file and the reason."""


def path_of(outbox: Path) -> Path:
    """Return the file's path: it lies beside the outbox."""
    return outbox.with_name(outbox.name + ".worker")


def read(path: Path) -> Kept | None:
    """Return what was kept; None if there is no file.

    Raises:
        UnknownStateError: The file is damaged, or cannot be read.
    """
    try:
        content = durable.read(path)
    except durable.DamagedError as error:
        raise UnknownStateError(str(error)) from error
    if content is None:
        return None
    try:
        return Kept.model_validate_json(content)
    except ValidationError as error:
        raise UnknownStateError(f"{path}: it is of another version") from error


def write(path: Path, kept: Kept) -> None:
    """Make this what is kept; it is on the disk when this returns.

    Raises:
        OSError: Then the file says what it said before.
    """
    durable.write(path, kept.model_dump_json().encode())


def forget(path: Path) -> None:
    """Take the file away, where a full disk takes no new one: then the state is unknown."""
    durable.forget(path)
