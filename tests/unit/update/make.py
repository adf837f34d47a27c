"""What the tests of installing share: a card with an update, and what RAUC says of it."""

from collections.abc import Sequence
from pathlib import Path

from cleandesk.contract.bundle import UpdateError
from cleandesk.update import told
from cleandesk.update.commit import Places
from cleandesk.update.drop import BUNDLE
from cleandesk.update.install import RESULT, Outcome, install
from cleandesk.update.told import Told
from cleandesk.watchdog import NAME, CameraWord, Word

WELL = Word(CameraWord.WORKS, link=True)


class Rauc:
    """Says what RAUC says of a bundle, and notes what it is asked for."""

    def __init__(self, version: str = "0.1.300", compatible: str = "box") -> None:
        self.asked: list[str] = []
        self.fails_at: str | None = None
        self._info = f'{{"compatible": "{compatible}", "version": "{version}"}}'

    def __call__(self, words: Sequence[str]) -> str:
        word = next(one for one in words if one in ("info", "install", "status"))
        self.asked.append(word)
        if word == self.fails_at:
            raise UpdateError(f"{word}: bad block 17")
        return self._info if word == "info" else ""


class Card:
    """A card with an update, in a machine whose clock is injected."""

    def __init__(self, folder: Path) -> None:
        names = ("card", "kept", "box", "settings", "fetched")
        self.places = Places(*(folder / name for name in names))
        for path in (self.places.card, self.places.kept, self.places.box, self.places.fetched):
            path.mkdir()
        self.places.settings.touch()
        (self.places.card / BUNDLE).write_bytes(b"bundle")
        self._system = folder / "system.conf"
        self._system.write_text("[system]\ncompatible=box\nmin-bundle-version=0.1.200\n")
        self.now = 0.0

    def word(self, word: Word) -> None:
        (self.places.box / NAME).write_bytes(word.to_json())

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def install(self, rauc: Rauc) -> Outcome:
        return install(
            self.places, system=self._system, run=rauc, mono=lambda: self.now, pause=self.pause
        )

    def fetched(self) -> None:
        """Have the bundle come over the network instead."""
        (self.places.card / BUNDLE).rename(self.places.fetched / BUNDLE)

    @property
    def said(self) -> str:
        return (self.places.card / RESULT).read_text()

    @property
    def told(self) -> Told:
        found = told.read(self.places.kept)
        assert found is not None
        return found
