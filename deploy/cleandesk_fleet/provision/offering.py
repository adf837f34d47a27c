"""Files that boxes may fetch from the service: put there whole, and found by their names."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cleandesk import whole_file
from cleandesk_fleet.provision.errors import ConflictError, UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_CHUNK = 1 << 20
#: Of a file's hash, in its name: so that no two have one name.
SHORT = 12


def digest_of(path: Path) -> str:
    """Return a file's SHA-256.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def publish(name: str, content: BinaryIO, sha256: str, folder: Path) -> bool:
    """Put a file where boxes fetch it; returns whether it was not there.

    Args:
        name: What the service calls it.
        content: All of it; it is read in parts.
        sha256: Of the content.
        folder: Where; it is made here.

    Raises:
        UsageError: If its name is none for a service.
        ConflictError: If another one lies there under its name.
        OSError: If the disk does not take it.
    """
    path = folder / name
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name}: use a-z, 0-9, '.', '_' and '-' in its name")
    if path.exists():
        if digest_of(path) != sha256:
            raise ConflictError(f"{path}: another file has this name: rename one of them")
        return False
    folder.mkdir(parents=True, exist_ok=True)
    whole_file.pour(path, _chunks(content))
    return True


def find(folder: Path, name: str) -> Path | None:
    """Return where a published file lies; None if there is none of this name."""
    path = folder / name
    there = bool(_NAME.fullmatch(name)) and path.is_file() and not path.is_symlink()
    return path if there else None


def _chunks(content: BinaryIO) -> Iterator[bytes]:
    while chunk := content.read(_CHUNK):
        yield chunk
