"""Stages of a build: each is kept, and done again only where what it is made of has changed."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from image.errors import ImageError


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the build.

    Attributes:
        name: Of its product, a file or a folder in the build folder.
        what: What it does, for who waits for it.
        made_of: Everything that its product depends on, and nothing else.
        make: Makes the product at a path, which does not exist yet.
    """

    name: str
    what: str
    made_of: tuple[str, ...]
    make: Callable[[Path], None]

    @property
    def key(self) -> str:
        """What tells this stage's product from that of other ingredients."""
        return digest(self.name, *self.made_of)


class Builder:
    """Does stages one after the other; one that was interrupted is begun again, and none before it.

    Args:
        folder: Keeps the products.
        console: Hears how far it is.
    """

    def __init__(self, folder: Path, console: Console) -> None:
        self.folder, self._console = folder, console

    def build(self, stages: Iterable[Stage]) -> None:
        """Do what is left to do.

        Raises:
            ImageError: If another build is at work in the folder.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        todo = list(stages)
        with _alone(self.folder):
            for number, stage in enumerate(todo, 1):
                self._one(stage, f"[{number}/{len(todo)}] {stage.what}")

    def _one(self, stage: Stage, line: str) -> None:
        product, mark = self.folder / stage.name, self.folder / f"{stage.name}.made-of"
        if product.exists() and mark.exists() and mark.read_text(encoding="ascii") == stage.key:
            self._console.print(f"{line}: kept", highlight=False)
            return
        mark.unlink(missing_ok=True)
        partial = self.folder / f"{stage.name}.partial"
        for leftover in (product, partial):
            remove(leftover)
        began = time.monotonic()
        with self._console.status(line):
            stage.make(partial)
        partial.rename(product)
        mark.write_text(stage.key, encoding="ascii")
        self._console.print(f"{line}: {time.monotonic() - began:.0f} s", highlight=False)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other builds out; programs that outlive a build that was killed do so, too."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ImageError(
                f"{folder}: another build is at work there, or what is left of one (see 'fuser -v "
                f"{lock.name}'): wait for it, or end it"
            ) from error
        os.set_inheritable(lock.fileno(), True)
        yield


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def digest(*parts: str) -> str:
    """Return a digest of texts, in order."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part.encode()).digest())
    return whole.hexdigest()


def digest_of(*paths: Path) -> str:
    """Return a digest of files and folders: names, modes and contents."""
    whole = hashlib.sha256()
    for top in paths:
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for path in files:
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(top.parent)
                whole.update(f"{name} {path.stat().st_mode & 0o111:o}\0".encode())
                whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
