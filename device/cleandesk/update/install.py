"""Installs the bundle that a technician put on the card, or that the box fetched."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cleandesk import durable, whole_file
from cleandesk.clock import boot_id
from cleandesk.contract.bundle import Run, UpdateError, inspect, rauc
from cleandesk.update import health
from cleandesk.update.commit import Places
from cleandesk.update.drop import BUNDLE
from cleandesk.update.system import SYSTEM, System, judge
from cleandesk.update.told import Step, Teller
from cleandesk.update.tries import Tries
from cleandesk.watchdog import Word

log = logging.getLogger(__name__)

REFUSED, RESULT = "update.refused", "update.txt"
_STAYS = "stays"
#: A box that has just been started is given so long to get healthy before it is said what is.
SETTLE_S = 600.0
_EVERY_S = 5.0


class Outcome(StrEnum):
    """What became of it."""

    NONE = "there is no update"
    SAME = "it runs already"
    INSTALLED = "installed"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a bundle may lie.

    Attributes:
        folder: The folder.
        card: A technician looks there: what is refused is set aside, with the reason beside it.
            Else it makes room.
    """

    folder: Path
    card: bool

    @property
    def bundle(self) -> Path:
        """The bundle, if there is one."""
        return self.folder / BUNDLE

    def done(self, text: str) -> bool:
        """Take the bundle away, and leave word; say whether it is gone, or will be found again."""
        try:
            self._say(text)
            whole_file.remove(self.bundle)
        except OSError as error:
            log.warning("an update stays where it was", extra={"why": error.strerror})
            return False
        return True

    def refuse(self, text: str) -> bool:
        """Take the bundle away, or set it aside, and leave word; say whether it is gone."""
        try:
            if self.card:
                whole_file.move(self.bundle, self.folder / REFUSED)
            else:
                whole_file.remove(self.bundle)
            self._say(text)
        except OSError as error:
            log.warning("what is refused stays where it was", extra={"why": error.strerror})
        return not whole_file.is_there(self.bundle)

    def _say(self, text: str) -> None:
        """Leave word for who looks at the card."""
        if self.card:
            content = f"{text}\r\n".encode()
            whole_file.write(self.folder / RESULT, content, draft="update.new")


def install(
    places: Places,
    *,
    system: Path = SYSTEM,
    run: Run = rauc,
    mono: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Install the bundle that is there into the other slot, to be tried at the next start.

    The card's goes first. A bundle is taken away, or set aside as refused: it is tried once. Only a
    power cut leaves it, and then it is tried again, so often as `tries` allows. A card that lets
    nothing be taken away keeps no other one from being installed. What becomes of it is told to the
    box, and of the card's on the card, too.

    Args:
        places: Where things lie.
        system: RAUC's settings.
        run: Runs RAUC.
        mono: Tells the time, seconds.
        pause: Waits.

    Raises:
        UpdateError: If it is refused.
        OSError: If a disk does not take something.
    """
    installer = _Installer(places, system, run, mono, pause)
    outcome, refusal = Outcome.NONE, None
    for source in (Source(places.card, card=True), Source(places.fetched, card=False)):
        if not whole_file.is_there(source.bundle):
            continue
        try:
            outcome = installer.take(source)
        except (UpdateError, OSError) as error:
            refusal = refusal or error
            if not whole_file.is_there(source.bundle):
                break  # the next one has a run of its own
        if outcome is Outcome.INSTALLED:
            return outcome
    if refusal is not None:
        raise refusal
    return outcome


@dataclass(frozen=True, slots=True)
class _Installer:
    """What `install` was given."""

    places: Places
    system: Path
    run: Run
    mono: Callable[[], float]
    pause: Callable[[float], None]

    def take(self, source: Source) -> Outcome:
        """Install the bundle of one source; it is taken away, or set aside, whatever comes of it.

        Raises:
            UpdateError: If it is refused.
            OSError: If a disk does not take something.
        """
        version: str | None = None
        kept = self.places.kept
        teller, tries = Teller(kept, None, boot_id()), Tries(kept)
        try:
            here = System.read(self.system)
            teller = Teller(kept, str(here.version), boot_id())
            bundle = inspect(source.bundle, system=self.system, run=self.run)
            version = str(bundle.version)
            if not judge(bundle, here):
                source.done(f"version {version}: {Outcome.SAME}")
                return Outcome.SAME
            if source.card:
                self._refuse_what_stays(version)
            teller.tell(Step.WAITING, version)
            word = _settle(self.places, self.mono, self.pause)
            health.remember(self.places.before, word, by_line=not source.card)
            tries.begin(version)
            log.warning("an update is installed", extra={"version": version})
            teller.tell(Step.INSTALLING, version)
            self.run(["install", str(source.bundle)])
        except (UpdateError, OSError) as error:
            why = _why(error)
            teller.tell(Step.REFUSED, version, why)
            tries.end()
            if source.refuse(f"refused: {why}") and source.card:
                self._stays(None)
            raise
        teller.tell(Step.INSTALLED, version)
        tries.end()
        gone = source.done(f"version {version}: {Outcome.INSTALLED}, and tried with the next start")
        if source.card:
            self._stays(None if gone else version)
        return Outcome.INSTALLED

    def _stays(self, version: str | None) -> None:
        """Remember which version was installed and lies on the card still; None: none does."""
        path = self.places.kept / _STAYS
        try:
            if version is None:
                durable.forget(path)
            else:
                durable.write(path, version.encode())
        except OSError as error:
            log.warning("an update may be tried once more", extra={"why": error.strerror})

    def _refuse_what_stays(self, version: str) -> None:
        """Raise if that was installed before, did not stay, and could not be taken away."""
        try:
            stays = durable.read(self.places.kept / _STAYS)
        except durable.DamagedError as error:
            log.warning("nobody can tell which update was tried: %s", error)
            return
        if stays == version.encode():
            raise UpdateError(
                f"version {version} was tried and did not stay, and could not be taken away: "
                "take it off the card"
            )


def _why(error: UpdateError | OSError) -> str:
    """Return why it is not installed."""
    if isinstance(error, UpdateError):
        return str(error)
    return f"disk: {(error.strerror or 'it fails').lower()}"


def _settle(
    places: Places, mono: Callable[[], float], pause: Callable[[float], None]
) -> Word | None:
    """Wait until the box is healthy, or for as long as that can take; return its last word.

    A box with a broken camera is started anew every few minutes, and gives no word in between.

    Returns:
        None: there is no box, or it gave no word in all that time.
    """
    last, give_up = None, mono() + SETTLE_S
    while places.runs and mono() < give_up:
        last = places.word() or last
        if not health.lacks(health.ALL, last, runs=True):
            return last
        pause(_EVERY_S)
    return last
