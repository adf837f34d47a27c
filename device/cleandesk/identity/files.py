"""Files that a power cut leaves whole: the old one or the new one, never half of either."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cleandesk.identity.errors import Code, IdentityError

SECRET, PUBLIC = 0o600, 0o644


def write(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write a file beside its place, bring it to the disk, move it there, and bring that there too.

    Written by root, it belongs to whoever its folder belongs to.

    Raises:
        IdentityError: If the disk does not take it; then the old file stands.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            _hand_over(draft)
            file.write(content)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
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
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync(path.parent)
    except OSError as error:
        raise _disk(path, error) from error


def wipe(path: Path) -> None:
    """Write zeros over a file, then remove it.

    On flash memory the old blocks may stay somewhere: what was in them must be worthless by now.

    Raises:
        IdentityError: If the disk does not take it.
    """
    try:
        with path.open("r+b") as file:
            file.write(bytes(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    except OSError as error:
        raise _disk(path, error) from error
    remove(path)


@contextmanager
def folder(path: Path) -> Iterator[None]:
    """Make a folder for its owner alone, and keep other processes out of it meanwhile.

    Raises:
        IdentityError: If it cannot be made, or somebody is at work in it.
    """
    try:
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True)
            _hand_over(path)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _disk(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise IdentityError(
            Code.BUSY, path, "another claim or renewal is at work", "wait for it, then try again"
        ) from error
    finally:
        os.close(handle)


def _hand_over(path: Path) -> None:
    """Give what root has made to whoever its folder belongs to: the box runs as its own user."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk(path: Path, error: OSError) -> IdentityError:
    fix = "make room, or make the folder writable for this user, then try again"
    return IdentityError(Code.DISK, path, error.strerror or str(error), fix)
