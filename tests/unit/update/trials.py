"""A slot on trial, and a clock that only waiting moves."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cleandesk.update import told
from cleandesk.update.commit import Places, commit
from cleandesk.update.told import Told
from cleandesk.watchdog import NAME, CameraWord, Word

WELL = Word(CameraWord.WORKS, link=True)
#: How often a box gives its word, seconds, and how often it is asked for: how late a commit may be.
FED_S, LATE_S = 22.5, 30.0


class Trial:
    """A slot on trial: what was healthy before, and a clock that only waiting moves."""

    def __init__(self, folder: Path) -> None:
        card, kept, box, settings, fetched, cmdline = (
            folder / name for name in ("card", "kept", "box", "settings", "fetched", "cmdline")
        )
        self.places = Places(card, kept, box, settings, fetched, cmdline)
        self.places.cmdline.write_text("ro cleandesk.trial loglevel=4\n")
        self.places.kept.mkdir()
        self.places.box.mkdir()
        self.places.settings.touch()
        self._system = folder / "system.conf"
        self._system.write_text("[system]\ncompatible=box\nmin-bundle-version=0.1.300\n")
        self.marked: list[str] = []
        self.becomes: dict[float, Word | None] = {}
        self.restarts: list[float] = []
        self.hangs_at = float("inf")
        self.now = self.began = self.fed = 0.0
        self._says: Word | None = None

    def _pause(self, seconds: float) -> None:
        self.now += seconds
        for moment in list(self.becomes):
            if self.now >= moment:
                self._says = self.becomes.pop(moment)
                self.fed = -FED_S
        while self.restarts and self.now >= self.restarts[0]:
            self.began, self.fed = self.restarts.pop(0), -FED_S
        if self.now < self.hangs_at and self.now >= self.fed + FED_S:
            self.fed = self.now
            self._feed()

    def _feed(self) -> None:
        path = self.places.box / NAME
        if self._says is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(replace(self._says, began=self.began, at=self.now).to_json())

    def _rauc(self, words: Sequence[str]) -> str:
        self.marked.append(words[-1])
        return ""

    def commit(self) -> bool:
        self._pause(0)
        return commit(
            self.places,
            system=self._system,
            run=self._rauc,
            mono=lambda: self.now,
            pause=self._pause,
        )

    @property
    def told(self) -> Told:
        found = told.read(self.places.kept)
        assert found is not None
        return found
