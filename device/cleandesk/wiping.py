"""A box at its end: what it keeps of its worker, its site and itself is wiped, and shown to be.

Each file is written over with zeros, then removed. Flash memory keeps old blocks where no program
reaches them: of a card that held what must never be read, only the card's own end is proof.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cleandesk import whole_file
from cleandesk.identity.card import LABEL
from cleandesk.identity.home import Home
from cleandesk.link import opening
from cleandesk.model.shelf import folder_of
from cleandesk.settings import BoxSettings


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box keeps what it keeps.

    Attributes:
        config: Its settings.
        outbox: Events, ledger and stills; what lies beside it is named after it.
        page: The folder of the worker's page: its key, hashes of the PIN, sessions.
    """

    config: Path
    outbox: Path
    page: Path

    @classmethod
    def of(cls, settings: BoxSettings, config: Path, page: Path) -> "Place":
        """Return the place of a box with these settings."""
        return cls(config.absolute(), settings.outbox.path, page)

    def files(self) -> list[Path]:
        """Return every file that is kept, in the order in which they go.

        The settings, which say where the others are, go last: cut off, it can be begun again.
        """
        home = Home(self.config.parent)
        lock = opening.lock_of(self.outbox)
        last = (home.page, home.hostname, home.folder / LABEL, lock, self.config)
        beside = sorted(path for path in _beside(self.outbox) if path != lock)
        return [*beside, *_below(self.page), *_below(home.identity), *filter(_is_there, last)]


@dataclass(frozen=True, slots=True)
class Wiped:
    """What became of it.

    Attributes:
        gone: Files that were wiped.
        left: Those that are there still, looked for anew at the end, each with the reason.
    """

    gone: list[Path]
    left: dict[Path, str]


def wipe(place: Place) -> Wiped:
    """Wipe everything that a box keeps; no box can start meanwhile.

    Raises:
        OutboxError: If a box runs, or its folder may not be used.
    """
    guard = opening.lock(place.outbox) if place.outbox.parent.is_dir() else None
    gone: list[Path] = []
    why: dict[Path, str] = {}
    try:
        for path in place.files():
            try:
                whole_file.wipe(path)
                gone.append(path)
            except OSError as error:
                why[path] = error.strerror or str(error)
    finally:
        if guard is not None:
            os.close(guard)
    return Wiped(gone, {path: why.get(path, "it has come anew") for path in place.files()})


def _beside(outbox: Path) -> Iterator[Path]:
    names = (outbox.name, f".{outbox.name}")
    models = folder_of(outbox)
    if outbox.parent.is_dir():
        found = (path for path in outbox.parent.iterdir() if path.name.startswith(names))
        yield from (path for path in found if path != models or path.is_symlink())
    if not models.is_symlink():
        yield from _below(models)


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()
