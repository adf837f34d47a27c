"""The identity's files: whole, wiped, or kept from others; what fails says how to mend it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cleandesk import whole_file
from cleandesk.identity.errors import Code, IdentityError

SECRET, PUBLIC = whole_file.SECRET, whole_file.PUBLIC


def write(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write a file as `whole_file.write` does.

    Raises:
        IdentityError: If the disk does not take it; then the old file stands.
    """
    try:
        whole_file.write(path, content, mode)
    except OSError as error:
        raise _disk(path, error) from error


def read(path: Path) -> bytes | None:
    """Return a file's content; None if there is no such file.

    Raises:
        IdentityError: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _disk(path, error) from error


def remove(path: Path) -> None:
    """Remove a file for good; no matter if there is none.

    Raises:
        IdentityError: If the disk does not let it go.
    """
    try:
        whole_file.remove(path)
    except OSError as error:
        raise _disk(path, error) from error


def wipe(path: Path) -> None:
    """Write zeros over a file, then remove it: what was in it must be worthless by now.

    Raises:
        IdentityError: If the disk does not take it.
    """
    try:
        whole_file.wipe(path)
    except OSError as error:
        raise _disk(path, error) from error


@contextmanager
def folder(path: Path) -> Iterator[None]:
    """Make a folder for its owner alone, and keep other processes out of it meanwhile.

    Raises:
        IdentityError: If it cannot be made, or somebody is at work in it.
    """
    try:
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True)
            whole_file.hand_over(path)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _disk(path, error) from error
    try:
        _hold(handle, path)
        yield
    finally:
        os.close(handle)


def _hold(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise IdentityError(
            Code.BUSY, path, "another claim or renewal is at work", "wait for it, then try again"
        ) from error


def _disk(path: Path, error: OSError) -> IdentityError:
    fix = "make room, or make the folder writable for this user, then try again"
    return IdentityError(Code.DISK, path, error.strerror or str(error), fix)
