"""Files that a power cut leaves whole: the old one or the new one, never half of either."""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

SECRET, PUBLIC = 0o600, 0o644
_CHUNK = 1 << 20
#: What opening a link, or a socket or pipe, comes to.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO})


def write(path: Path, content: bytes, mode: int = PUBLIC, *, draft: str | None = None) -> None:
    """Write a file beside its place, bring it to the disk, move it there, and bring that there too.

    Written by root, it belongs to whoever its folder belongs to: the box, its page and the broker
    have users of their own.

    Args:
        path: The file.
        content: All of it.
        mode: Its permissions.
        draft: Its name meanwhile; who may write the same file at the same time needs one of their
            own.

    Raises:
        OSError: If the disk does not take it; then the old file stands.
    """
    pour(path, [content], mode, draft=draft)


def pour(
    path: Path, chunks: Iterable[bytes], mode: int = PUBLIC, *, draft: str | None = None
) -> None:
    """Write a file as `write` does, of parts that come one after the other: it may be large.

    Raises:
        OSError: As `write`; and whatever the parts raise.
    """
    new = path.with_name(draft or f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            hand_over(new)
            file.writelines(chunks)
            file.flush()
            os.fsync(handle)
            _settle(handle, new, path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def move(path: Path, target: Path) -> None:
    """Give a file another name, in place of whatever has it, for good.

    Raises:
        OSError: If the disk does not take it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _settle(handle, path, target)
    finally:
        os.close(handle)


def _settle(handle: int, path: Path, target: Path) -> None:
    """Move an open file, and have its new name on the disk."""
    path.replace(target)
    # On FAT, as the card has it, a name that is new has the size 0 until the file is synced again.
    os.fsync(handle)
    sync(target.parent)


def is_there(path: Path) -> bool:
    """Say whether there is a file, for all that its disk can tell: one that fails has none."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def remove(path: Path) -> None:
    """Remove a file for good; no matter if there is none.

    Raises:
        OSError: If the disk does not let it go.
    """
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync(path.parent)


def wipe(path: Path) -> None:
    """Write zeros over a file, then remove it for good; no matter if there is none.

    A link, and what is no file, is removed and not followed: root may do this in another's folder.
    On flash memory the old blocks may stay somewhere.

    Raises:
        OSError: If the disk does not take it.
    """
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags), "wb", buffering=0) as file:
            left = os.fstat(file.fileno()).st_size
            while left > 0:
                left -= file.write(bytes(min(left, _CHUNK)))
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
    remove(path)


def hand_over(path: Path) -> None:
    """Give what root has made to whoever its folder belongs to."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def sync(folder: Path) -> None:
    """Have a folder's own entries on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
