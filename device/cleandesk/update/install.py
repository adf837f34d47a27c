"""Installs the bundle that a technician put on the card."""

import logging
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from cleandesk import whole_file
from cleandesk.update import bundle as bundles
from cleandesk.update import health
from cleandesk.update.bundle import SYSTEM, Run, System, rauc
from cleandesk.update.commit import Places
from cleandesk.update.errors import UpdateError

log = logging.getLogger(__name__)

BUNDLE, REFUSED, RESULT = "update.raucb", "update.refused", "update.txt"
#: A box that has just been started is given so long to get healthy before it is said what is.
SETTLE_S = 600.0
_EVERY_S = 5.0


class Outcome(StrEnum):
    """What became of it."""

    NONE = "there is no update"
    SAME = "it runs already"
    INSTALLED = "installed"


def install(
    places: Places,
    *,
    system: Path = SYSTEM,
    run: Run = rauc,
    mono: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Install the card's bundle into the other slot, to be tried at the next start.

    The bundle is taken off the card, or set aside as refused, with the reason beside it: it is
    tried once. Only a power cut leaves it, and then it is tried again.

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
    path = places.card / BUNDLE
    if not path.exists():
        return Outcome.NONE
    try:
        bundle = bundles.inspect(path, system=system, run=run)
        if not bundles.judge(bundle, System.read(system)):
            _done(places, f"version {bundle.version}: {Outcome.SAME}")
            return Outcome.SAME
        _settle(places, mono, pause)
        health.remember(places.before, places.word())
        log.warning("an update is installed", extra={"version": str(bundle.version)})
        run(["install", str(path)])
    except UpdateError as error:
        path.replace(places.card / REFUSED)
        _say(places, f"refused: {error}")
        raise
    _done(places, f"version {bundle.version}: {Outcome.INSTALLED}, and tried with the next start")
    return Outcome.INSTALLED


def _settle(places: Places, mono: Callable[[], float], pause: Callable[[float], None]) -> None:
    """Wait until the box is healthy, or for as long as that can take."""
    give_up = mono() + SETTLE_S
    while places.runs and mono() < give_up:
        if not health.lacks(health.ALL, places.word(), runs=True):
            return
        pause(_EVERY_S)


def _done(places: Places, text: str) -> None:
    _say(places, text)
    whole_file.remove(places.card / BUNDLE)


def _say(places: Places, text: str) -> None:
    """Leave word for who looks at the card."""
    whole_file.write(places.card / RESULT, f"{text}\r\n".encode(), draft="update.new")
