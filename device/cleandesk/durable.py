"""A small file that is there as a whole or not at all, through kills and power cuts.

A SHA-256, a line's end, and what it is of. It is written to a new file, synchronised and renamed,
so that there is always the old one or the new one.
"""

import contextlib
import hashlib
import os
from pathlib import Path


class DamagedError(Exception):
    """Nobody can tell what was written; the text names the file and the reason."""


def read(path: Path) -> bytes | None:
    """Return what was written; None if there is no file.

    Raises:
        DamagedError: The file is damaged, or cannot be read.
    """
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DamagedError(f"{path}: {(error.strerror or 'unreadable').lower()}") from error
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise DamagedError(f"{path}: it is not what was written")
    return content


def write(path: Path, content: bytes) -> None:
    """Make this the content; it is on the disk when this returns.

    Raises:
        OSError: Then the file says what it said before.
    """
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync_folder(path.parent)


def forget(path: Path) -> None:
    """Take the file away, for good when this returns."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
