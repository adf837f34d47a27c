"""What a box tells of its software: in `health` how it stands, in the ledger what has changed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from cleandesk import durable, whole_file
from cleandesk.contract.bundle import UpdateError, Version
from cleandesk.contract.update_messages import BoxUpdate
from cleandesk.update import told
from cleandesk.update.drop import Drop
from cleandesk.update.standing import Fetched, Here, stands
from cleandesk.update.system import SYSTEM, System

log = logging.getLogger(__name__)

_MOST_WHY = 200
#: As boot.cmd of the image has it, and its units.
_TRIAL = "cleandesk.trial"


class _Seen(BaseModel):
    """What a box keeps of its software, to tell of it.

    Attributes:
        version: What ran last.
        noted: The last update that did not stay, of which the ledger tells.
        sent: Version of the last bundle that was handed over.
        refused: The last bundle that the box itself did not take, and why; None since the next one.
    """

    model_config = durable.READABLE

    version: str | None = None
    noted: str | None = None
    sent: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Where the box sees how its system stands.

    Attributes:
        system: RAUC's settings: they say what runs.
        keyring: Who is trusted with updates; not there: nobody.
        cmdline: The kernel's, in which the boot loader says that it starts something on trial.
        committed: There once that was committed.
        told: The updater's own folder.
    """

    system: Path = SYSTEM
    keyring: Path = Path("/etc/rauc/keyring.pem")
    cmdline: Path = Path("/proc/cmdline")
    committed: Path = Path("/run/cleandesk-slot/committed")
    told: Path = Path("/var/lib/cleandesk-update")

    @property
    def on_trial(self) -> bool:
        """Whether what runs is not committed."""
        try:
            tried = _TRIAL in self.cmdline.read_text(encoding="utf-8").split()
        except FileNotFoundError:  # what runs is no image
            return False
        return tried and not whole_file.is_there(self.committed)


#: As the image has it.
WHERE = Where()


def seen_of(outbox: Path) -> Path:
    """Return the path of the file that remembers what ran, beside the outbox."""
    return outbox.with_name(outbox.name + ".software")


class Software:
    """What runs, what is to come, and what did not stay.

    Args:
        path: The file that remembers it.
        where: Where the box sees how its system stands.
        drop: Where bundles are handed over.
        boot: The present power-on.

    Attributes:
        version: What runs; None where no image does: nobody installs anything.
    """

    def __init__(self, path: Path, where: Where, drop: Drop, boot: str) -> None:
        self._path, self._where, self._drop, self._boot = path, where, drop, boot
        self.version = _runs(where.system)
        self._seen = self._read()

    @property
    def on_trial(self) -> bool:
        """Whether what runs is not committed."""
        return self._where.on_trial

    @property
    def takes_updates(self) -> bool:
        """Whether somebody installs what is handed over."""
        trusts = whole_file.is_there(self._where.keyring)
        return self.version is not None and trusts and self._drop.usable

    @property
    def left(self) -> told.Lost | None:
        """The last update that was tried and did not stay, by the updater's word."""
        said = self._told()
        return None if said is None else said.left

    def stands(self, fetched: Fetched | None) -> BoxUpdate | None:
        """Return how software and update stand, as `health` tells; None: none is ever installed.

        Args:
            fetched: What is being fetched.
        """
        if self.version is None:
            return None
        here = Here(
            runs=str(self.version),
            boot=self._boot,
            trial=self.on_trial,
            handed=self._drop.handed,
            sent=self._seen.sent,
            fetched=fetched,
            refused=self._seen.refused,
        )
        return stands(here, told.read(self._where.told))

    def tell_changes(self, note: Callable[[str, str], None]) -> None:
        """Enter in the ledger what has changed since the last process."""
        if self.version is None:
            return
        runs, seen = str(self.version), self._seen
        if seen.version not in (None, runs):
            what = f"The box runs other software: version {runs} in place of {seen.version}."
            note("software_changed", what)
        said = self._told()
        noted = seen.noted if said is None or said.lost is None else str(said.lost)
        if noted != seen.noted:
            what = f"An update of the box's software was not kept ({noted})."
            note("update_given_up", f"{what} The box runs version {runs}.")
        # What the box itself did not take is older than either.
        refused = seen.refused if (seen.version, seen.noted) == (runs, noted) else None
        self._keep(version=runs, noted=noted, refused=refused)

    def sent(self, version: str) -> None:
        """Remember that a bundle is handed over."""
        self._keep(sent=version, refused=None)

    def refuses(self, version: str, why: str) -> None:
        """Remember that the box itself did not take a bundle."""
        self._keep(refused=f"{version}: {why}"[:_MOST_WHY])

    def forget_refused(self) -> None:
        """Let go of what was not taken: another one is."""
        self._keep(refused=None)

    def _told(self) -> told.Told | None:
        """Return the updater's word, with what has become of it since."""
        said = told.read(self._where.told)
        if said is None or self.version is None:
            return None
        return said.by(str(self.version), self._boot, trial=self.on_trial)

    def _read(self) -> _Seen:
        try:
            content = durable.read(self._path)
            return _Seen() if content is None else _Seen.model_validate_json(content)
        except (durable.DamagedError, ValidationError) as error:
            log.warning("nobody can tell what ran before: %s", str(error)[:_MOST_WHY])
            return _Seen()

    def _keep(self, **changes: str | None) -> None:
        """Keep what is told; a disk that takes nothing only has it told once more."""
        seen = self._seen.model_copy(update=changes)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            durable.write(self._path, seen.model_dump_json().encode())
        except OSError as error:
            log.warning("how the software stands is not kept", extra={"why": error.strerror})


def _runs(system: Path) -> Version | None:
    """Return which system runs; None where no image does."""
    try:
        return System.read(system).version
    except UpdateError:
        return None
