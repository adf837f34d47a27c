"""The folder of stills beside the log: one file a picture, named by its sha256."""

import errno
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from cleandesk import whole_file

_EXTENSIONS = {"image/jpeg": "jpg", "application/pkcs7-mime": "p7m"}
#: Says whose pictures these are.
_MARK = ".cleandesk-log"
#: A picture, whole or half written; whatever else lies in the folder is somebody else's.
_OURS = re.compile(rf"[0-9a-f]{{64}}\.(jpg|p7m)|(\.draft|{re.escape(_MARK)})-[0-9a-f]+")
#: In the names of our drafts: of two machines that share the folder, both may have the same PID.
_PROCESS = secrets.token_hex(8)


def folder_of(log: Path) -> Path:
    """Return the folder that belongs to a log."""
    return log.with_name(f"{log.name}.stills")


class Pictures:
    """Files that their owner alone may read.

    Args:
        folder: Made with the first file.
        mark: What must stand in it at each change; None: it goes unmarked.
    """

    def __init__(self, folder: Path, mark: str | None = None) -> None:
        self._folder, self._mark = folder, mark

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._folder

    @property
    def mark_file(self) -> Path:
        """The file that says whose they are."""
        return self._folder / _MARK

    def mark(self) -> str | None:
        """Return what the folder says of whose they are; None if it says nothing.

        Raises:
            OSError: If that cannot be read.
        """
        try:
            return self.mark_file.read_text(encoding="utf-8", errors="replace").strip() or None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def set_mark(self, mark: str) -> None:
        """Say whose they are; that is on the disk when this returns.

        Raises:
            OSError: If the disk takes nothing.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        draft = f"{_MARK}-{_PROCESS}"
        whole_file.write(self.mark_file, f"{mark}\n".encode(), whole_file.SECRET, draft=draft)

    def path(self, sha256: str, media_type: str) -> Path:
        """Return where a picture is, or would be."""
        return self._folder / f"{sha256}.{_EXTENSIONS[media_type]}"

    def put(self, sha256: str, media_type: str, content: bytes) -> None:
        """Keep a picture; it is on the disk, whole, when this returns.

        Raises:
            OSError: If the disk takes nothing.
        """
        self._must_be_ours()
        path = self.path(sha256, media_type)
        if path.exists():
            os.utime(path)  # its row is about to come: not for `drop`
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        draft = f".draft-{_PROCESS}"  # another subscriber may be at the same picture
        whole_file.write(path, content, whole_file.SECRET, draft=draft)

    def remove(self, sha256: str, media_type: str) -> None:
        """Delete a picture; that is on the disk when this returns. It need not be there.

        Raises:
            OSError: If it cannot be deleted, or this is not the folder where it lay.
        """
        self._must_be_ours()
        path = self.path(sha256, media_type)
        path.unlink(missing_ok=True)
        if self._folder.is_dir():
            whole_file.sync(self._folder)
        if path.exists():
            raise FileExistsError(f"{path} is still there after it was deleted")

    def files(self) -> Iterator[Path]:
        """Yield what is ours in the folder, one by one: pictures, whole or half written.

        Raises:
            OSError: If the folder cannot be read, or is not the one where they lay.
        """
        self._must_be_ours()
        if not self._folder.is_dir():
            return
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if _OURS.fullmatch(entry.name):
                    yield self._folder / entry.name

    def drop(self, paths: Collection[Path], *, older_than_s: float = 0) -> int:
        """Delete files that belong to no row, as of a commit that failed; return how many.

        Args:
            paths: The files.
            older_than_s: Younger ones stay: another writer's row may be about to come.

        Raises:
            OSError: If one cannot be deleted.
        """
        self._must_be_ours()
        until, left = time.time() - older_than_s, 0
        for path in paths:
            # Each right before it goes: another writer may have come to need it.
            changed_at = _changed_at(path)
            if changed_at is not None and changed_at <= until:
                path.unlink()
                left += 1
        if left:
            whole_file.sync(self._folder)
        return left

    def _must_be_ours(self) -> None:
        """See that the folder is still the one that it was: one may be unmounted at any time."""
        if self._mark is not None and self.mark() != self._mark:
            raise OSError(
                errno.ENODEV,
                "this is not where the log's pictures lie; mount that folder again",
                str(self._folder),
            )


def _changed_at(path: Path) -> float | None:
    """Return when a file was changed; None if it is gone, as a draft that became a picture.

    It is opened for that: on a network `stat` alone may say what was so a minute ago.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.fstat(handle).st_mtime
    finally:
        os.close(handle)
