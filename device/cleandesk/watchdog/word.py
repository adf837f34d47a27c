"""The box's word on how it does, for those on the box who decide about an update."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from cleandesk import whole_file
from cleandesk.watchdog.stages import Standing
from cleandesk.watchdog.worked import Worked

log = logging.getLogger(__name__)

#: Within the folder that systemd makes for the box; it is gone with the process.
NAME = "standing.json"


class CameraWord(StrEnum):
    """What the box says of camera and detector together."""

    WORKS = "works"  # frames come, and the detector has looked at one
    RESTS = "rests"  # a break; before it, in this power-on, it worked
    STOPPED = "stopped"  # as well, and nobody knows whether it works; or safe mode
    FAILS = "fails"  # a fault, or nothing was looked at yet


@dataclass(frozen=True, slots=True)
class Word:
    """What works.

    Attributes:
        camera: Camera and detector.
        link: The broker has let the box in.
        began: When this process gave its first word, powered-on seconds; another one is a restart.
        at: When it gave this one: a box that hangs says nothing newer.
    """

    camera: CameraWord
    link: bool
    began: float = field(default=0.0, compare=False)
    at: float = field(default=0.0, compare=False)

    def to_json(self) -> bytes:
        """Return it as it lies in the file."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def parse(cls, content: bytes) -> "Word | None":
        """Return what a file's content says; None if it is nothing of the kind."""
        try:
            said = json.loads(content)
            began, at = float(said.get("began", 0.0)), float(said.get("at", 0.0))
            return cls(CameraWord(said["camera"]), said["link"] is True, began, at)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    @classmethod
    def read(cls, path: Path) -> "Word | None":
        """Return what a file says; None if there is none, or it says nothing of the kind."""
        try:
            return cls.parse(path.read_bytes())
        except OSError:
            return None


def word_of(standing: Standing, *, worked: bool = False) -> Word:
    """Return the word of a box whose stages do what they were told to.

    Args:
        standing: How they stand.
        worked: The camera did, when it was last used in this power-on.
    """
    sensing = standing.sensing
    if sensing is None:
        camera = CameraWord.RESTS if worked else CameraWord.STOPPED
    elif sensing.seen and not sensing.fault:
        camera = CameraWord.WORKS
    else:
        camera = CameraWord.FAILS
    return Word(camera, standing.connected)


class Teller:
    """Keeps the word in the service's own runtime folder; does nothing where there is none.

    It is written with each feed of the watchdog, in memory, so that it tells how old it is.

    Args:
        environ: The process's environment.
        worked: Remembers that the camera worked, through breaks and restarts; default: nobody does.
    """

    def __init__(
        self, environ: Mapping[str, str] = os.environ, *, worked: Worked | None = None
    ) -> None:
        folder = environ.get("RUNTIME_DIRECTORY", "")
        self._path = Path(folder) / NAME if folder else None
        self._worked = worked
        self._began: float | None = None

    def tell(self, standing: Standing) -> None:
        """Write the word; a folder that takes nothing is only logged."""
        if self._path is None:
            return
        if self._worked is not None and standing.sensing is not None:
            self._worked.follow(standing.sensing)
        if self._began is None:
            self._began = standing.now
        worked = self._worked is not None and self._worked.did
        word = replace(word_of(standing, worked=worked), began=self._began, at=standing.now)
        try:
            whole_file.write(self._path, word.to_json())
            self._path.chmod(whole_file.PUBLIC)  # whatever the process's umask
        except OSError as error:
            log.warning("nobody can be told how the box stands", extra={"why": error.strerror})
