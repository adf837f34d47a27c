"""What the updater tells of its work: it keeps it in its own folder, and the box reads it."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from cleandesk import durable, whole_file
from cleandesk.contract.messages import Id

log = logging.getLogger(__name__)

NAME = "told"
LONGEST = 160


class Step(StrEnum):
    """How far the updater is, or how it ended."""

    WAITING = "waiting"
    INSTALLING = "installing"
    INSTALLED = "installed"
    COMMITTED = "committed"
    REFUSED = "refused"
    LEFT = "left"


class Lost(BaseModel):
    """An update that did not stay.

    Attributes:
        version: Of the bundle; None where nobody could read it.
        left: It was tried; else it was refused.
    """

    model_config = durable.READABLE

    version: str | None
    why: str
    left: bool

    def __str__(self) -> str:
        word = "left" if self.left else "refused"
        return f"{self.version or 'what was no bundle'}: {word}: {self.why}"


class Told(BaseModel):
    """One word of the updater.

    Attributes:
        version: Of the bundle that it is about.
        boot: The power-on in which it was said.
        lost: The last one that did not stay, of all times.
        left: The last one that was tried and left, of all times.
        untried: Of what is committed: a break went on, so nobody saw whether the camera works.
        committed: The last version that was.
    """

    model_config = durable.READABLE

    form: Literal[1] = 1
    step: Step
    version: str | None
    boot: Id
    lost: Lost | None = None
    left: Lost | None = None
    untried: bool = False
    committed: str | None = None

    def by(self, runs: str | None, boot: str, *, trial: bool) -> "Told":
        """Return the same with what has become of it since, by what runs now.

        What was installed, and does not run after the start that was to try it, was left: it did
        not come up, or crashed so often as the boot loader bears.

        Args:
            runs: The version that runs; None: nobody can tell.
            boot: The present power-on.
            trial: What runs is not committed.
        """
        tried = self.step is Step.INSTALLED and self.boot != boot and not trial
        if not tried or runs in (None, self.version):
            return self
        lost = Lost(version=self.version, why="it did not start, or crashed", left=True)
        return self.model_copy(update={"lost": lost, "left": lost})


def read(folder: Path) -> Told | None:
    """Return what the updater told last; None: nothing, or nobody can tell.

    Args:
        folder: The updater's own.
    """
    try:
        content = durable.read(folder / NAME)
        return None if content is None else Told.model_validate_json(content)
    except (durable.DamagedError, ValidationError) as error:
        log.warning("what the updater told cannot be read: %s", str(error)[:LONGEST])
        return None


class Teller:
    """Tells, for the updater. A disk that takes nothing keeps no update from being installed.

    Args:
        folder: The updater's own.
        runs: The version that runs.
        boot: The present power-on.
    """

    def __init__(self, folder: Path, runs: str | None, boot: str) -> None:
        self._folder, self._runs, self._boot = folder, runs, boot

    def tell(
        self, step: Step, version: str | None, why: str | None = None, *, untried: bool = False
    ) -> None:
        """Say how far it is.

        Args:
            step: What has begun, or ended.
            version: Of the bundle; None where nobody could read it.
            why: Of what did not stay.
            untried: Of what is committed: nobody saw whether the camera works.
        """
        before = read(self._folder)
        lost, left = self._not_kept(before, step, version, why)
        known = None if before is None else before.committed
        said = Told(
            step=step,
            version=version,
            boot=self._boot,
            lost=lost,
            left=left,
            untried=untried,
            committed=version if step is Step.COMMITTED else known,
        )
        path = self._folder / NAME
        try:
            durable.write(path, said.model_dump_json().encode())
            path.chmod(whole_file.PUBLIC)  # whatever the process's umask: the box reads it
        except OSError as error:
            log.warning("nobody is told how the update does", extra={"why": error.strerror})

    def _not_kept(
        self, before: Told | None, step: Step, version: str | None, why: str | None
    ) -> tuple[Lost | None, Lost | None]:
        """Return the last one that did not stay, and the last one that was left, with this word."""
        known = None if before is None else before.by(self._runs, self._boot, trial=False)
        lost, left = (None, None) if known is None else (known.lost, known.left)
        if step in (Step.REFUSED, Step.LEFT):
            why = (why or "nobody knows why")[:LONGEST]
            lost = Lost(version=version, why=why, left=step is Step.LEFT)
            return lost, lost if lost.left else left
        if step is Step.COMMITTED:  # what stays at last is none of them
            lost = None if lost is not None and lost.version == version else lost
            left = None if left is not None and left.version == version else left
        return lost, left
