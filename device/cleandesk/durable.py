"""A small file that can tell whether it is what was written: a SHA-256, then the content."""

import hashlib
from pathlib import Path

from pydantic import ConfigDict

from cleandesk import whole_file

#: Of what such files hold: what an update on trial wrote is read by the version before it, which
#: knows less, once the update is left.
READABLE = ConfigDict(extra="ignore", frozen=True)


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
    whole_file.write(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def forget(path: Path) -> None:
    """Take the file away, for good when this returns."""
    whole_file.remove(path)
