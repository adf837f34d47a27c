"""The file that says whether the worker has a break; it outlives a kill and a power cut.

Two lines: a SHA-256, and the JSON that it is of. It is written to a new file, synchronised and
renamed, so that there is always the old one or the new one as a whole. What cannot be read is a
break: nobody looks at a worker because a file is damaged.
"""

import contextlib
import hashlib
import logging
import os
from pathlib import Path

from pydantic import ValidationError

from cleandesk.worker.breaks import Kept

log = logging.getLogger(__name__)


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
        digest, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnknownStateError(f"{path}: {(error.strerror or 'unreadable').lower()}") from error
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise UnknownStateError(f"{path}: it is not what was written")
    try:
        return Kept.model_validate_json(content)
    except ValidationError as error:
        raise UnknownStateError(f"{path}: it is of another version") from error


def write(path: Path, kept: Kept) -> None:
    """Make this what is kept; it is on the disk when this returns.

    Raises:
        OSError: Then the file says what it said before.
    """
    content = kept.model_dump_json().encode()
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync_folder(path.parent)


def forget(path: Path) -> None:
    """Take the file away, where a full disk takes no new one: then the state is unknown."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
