"""Installs the bundle that a technician put on the card, or that the box fetched."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cleandesk import whole_file
from cleandesk.clock import boot_id
from cleandesk.contract.bundle import Run, UpdateError, inspect, rauc
from cleandesk.update import health
from cleandesk.update.commit import Places
from cleandesk.update.drop import BUNDLE
from cleandesk.update.system import SYSTEM, System, judge
from cleandesk.update.told import Step, Teller
from cleandesk.update.tries import Tries

log = logging.getLogger(__name__)

REFUSED, RESULT = "update.refused", "update.txt"
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

    def done(self, text: str) -> None:
        """Take the bundle away, and leave word; one that stays is found again, and runs already."""
        try:
            self._say(text)
            whole_file.remove(self.bundle)
        except OSError as error:
            log.warning("an update stays where it was", extra={"why": error.strerror})

    def refuse(self, text: str) -> None:
        """Take the bundle away, or set it aside, and leave word."""
        if not self.card:
            whole_file.remove(self.bundle)
            return
        whole_file.move(self.bundle, self.folder / REFUSED)
        self._say(text)

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
    power cut leaves it, and then it is tried again, so often as `tries` allows. What becomes of it
    is told to the box, and of the card's on the card, too.

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
    sources = (Source(places.card, card=True), Source(places.fetched, card=False))
    source = next((one for one in sources if whole_file.is_there(one.bundle)), None)
    if source is None:
        return Outcome.NONE
    version: str | None = None
    teller, tries = Teller(places.kept, None, boot_id()), Tries(places.kept)
    try:
        here = System.read(system)
        teller = Teller(places.kept, str(here.version), boot_id())
        bundle = inspect(source.bundle, system=system, run=run)
        version = str(bundle.version)
        if not judge(bundle, here):
            source.done(f"version {version}: {Outcome.SAME}")
            return Outcome.SAME
        teller.tell(Step.WAITING, version)
        _settle(places, mono, pause)
        health.remember(places.before, places.word(), by_line=not source.card)
        tries.begin(version)
        log.warning("an update is installed", extra={"version": version})
        teller.tell(Step.INSTALLING, version)
        run(["install", str(source.bundle)])
    except (UpdateError, OSError) as error:
        why = _why(error)
        teller.tell(Step.REFUSED, version, why)
        tries.end()
        source.refuse(f"refused: {why}")
        raise
    teller.tell(Step.INSTALLED, version)
    tries.end()
    source.done(f"version {version}: {Outcome.INSTALLED}, and tried with the next start")
    return Outcome.INSTALLED


def _why(error: UpdateError | OSError) -> str:
    """Return why it is not installed."""
    if isinstance(error, UpdateError):
        return str(error)
    return f"disk: {(error.strerror or 'it fails').lower()}"


def _settle(places: Places, mono: Callable[[], float], pause: Callable[[float], None]) -> None:
    """Wait until the box is healthy, or for as long as that can take."""
    give_up = mono() + SETTLE_S
    while places.runs and mono() < give_up:
        if not health.lacks(health.ALL, places.word(), runs=True):
            return
        pause(_EVERY_S)
