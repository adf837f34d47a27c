"""Commits an update once the application is healthy, or says that it must be left."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cleandesk import durable
from cleandesk.clock import boot_id
from cleandesk.contract.bundle import Run, UpdateError, rauc
from cleandesk.update import health, told
from cleandesk.update.health import Trial, Verdict
from cleandesk.update.system import SYSTEM, System
from cleandesk.update.told import Step, Teller
from cleandesk.watchdog import NAME, Word

log = logging.getLogger(__name__)

_EVERY_S = 5.0
#: As boot.cmd of the image has it: what runs comes in place of a committed slot.
_INSTEAD = "cleandesk.instead"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie.

    Attributes:
        card: The technician's folder on the boot partition.
        kept: The updater's own folder, on the disk.
        box: The running box's folder.
        settings: The box's settings; a machine without them is no box yet.
        fetched: The folder in which the box hands over what it fetched.
        cmdline: The kernel's.
    """

    card: Path = Path("/boot/firmware/cleandesk")
    kept: Path = Path("/var/lib/cleandesk-update")
    box: Path = Path("/run/cleandesk")
    settings: Path = Path("/etc/cleandesk/cleandesk.yaml")
    fetched: Path = Path("/var/lib/cleandesk/update")
    cmdline: Path = Path("/proc/cmdline")

    @property
    def before(self) -> Path:
        """What was healthy before the update."""
        return self.kept / "before"

    def word(self) -> Word | None:
        """Return the running box's word."""
        return Word.read(self.box / NAME)

    @property
    def demanded(self) -> Word | None:
        """What must be healthy of what runs; None: nothing."""
        try:
            words = self.cmdline.read_text(encoding="utf-8").split()
        except FileNotFoundError:  # what runs is no image
            words = []
        # What an update that was left demanded is nothing to what stands in.
        return health.STAND_IN if _INSTEAD in words else health.demanded(self.before)

    @property
    def runs(self) -> bool:
        """Whether there is a box on this machine."""
        return self.settings.exists()


def commit(
    places: Places,
    *,
    system: Path = SYSTEM,
    run: Run = rauc,
    mono: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until all that was healthy before is healthy and stays so, then commit what runs.

    Args:
        places: Where things lie.
        system: RAUC's settings.
        run: Runs RAUC.
        mono: Tells the time, seconds.
        pause: Waits.

    Returns:
        False: it did not get healthy in time, and the next start is the slot's before.

    Raises:
        UpdateError: If RAUC does not mark it.
    """
    began, demand = mono(), places.demanded
    trial = Trial(demand, began)
    version = _version(system)
    teller = Teller(places.kept, version, boot_id())
    said: tuple[list[str], bool] = ([], False)
    while True:
        now = mono()
        verdict = trial.hear(places.word(), now, runs=places.runs)
        waits_for = (trial.missing, trial.untried)
        if waits_for not in (said, ([], False)):
            why = {"missing": trial.missing, "camera_untried": trial.untried}
            log.warning("the update is not committed yet", extra=why)
            said = waits_for
        match verdict:
            case Verdict.COMMIT:
                run(["status", "mark-good"])
                _forget(places.before)
                done = {"after_s": round(now - began), "camera_untried": trial.untried}
                log.warning("the update is committed", extra=done)
                if demand is health.STAND_IN:
                    _tell_lost(teller, places.kept, version)
                teller.tell(Step.COMMITTED, version, untried=trial.untried)
                return True
            case Verdict.LEAVE:
                log.error("the update is left", extra={"missing": trial.missing})
                why_left = f"{trial.why_left} in {(now - began) / 60:.0f} minutes"
                teller.tell(Step.LEFT, version, why_left)
                run(["status", "mark-bad"])
                return False
        pause(_EVERY_S)


def _tell_lost(teller: Teller, kept: Path, version: str | None) -> None:
    """Say that what was committed before, and in whose place this one comes, is given up."""
    before = told.read(kept)
    if before is not None and before.committed not in (None, version):
        teller.tell(Step.LEFT, before.committed, "its slot could not be loaded")


def _forget(before: Path) -> None:
    """Let go of what was healthy before an update that is committed: it is nothing to the next."""
    try:
        durable.forget(before)
    except OSError as error:
        log.warning("what was healthy before is kept", extra={"why": error.strerror})


def _version(system: Path) -> str | None:
    """Return what runs; an image that does not tell is committed all the same."""
    try:
        return str(System.read(system).version)
    except UpdateError as error:
        log.warning("nobody can tell which version runs", extra={"why": str(error)})
        return None
