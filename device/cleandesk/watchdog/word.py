"""The box's word on how it does, for those on the box who decide about an update."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from cleandesk import whole_file
from cleandesk.watchdog.stages import Standing

log = logging.getLogger(__name__)

#: Within the folder that systemd makes for the box; it is gone with the process.
NAME = "standing.json"


class CameraWord(StrEnum):
    """What the box says of camera and detector together."""

    WORKS = "works"  # frames come, and the detector has looked at one
    STOPPED = "stopped"  # it was told to: a break, or safe mode
    FAILS = "fails"  # a fault, or nothing was looked at yet


@dataclass(frozen=True, slots=True)
class Word:
    """What works.

    Attributes:
        camera: Camera and detector.
        link: The broker has let the box in.
    """

    camera: CameraWord
    link: bool

    def to_json(self) -> bytes:
        """Return it as it lies in the file."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def parse(cls, content: bytes) -> "Word | None":
        """Return what a file's content says; None if it is nothing of the kind."""
        try:
            said = json.loads(content)
            return cls(CameraWord(said["camera"]), said["link"] is True)
        except (ValueError, TypeError, KeyError):
            return None

    @classmethod
    def read(cls, path: Path) -> "Word | None":
        """Return what a file says; None if there is none, or it says nothing of the kind."""
        try:
            return cls.parse(path.read_bytes())
        except OSError:
            return None


def word_of(standing: Standing) -> Word:
    """Return the word of a box whose stages do what they were told to."""
    sensing = standing.sensing
    if sensing is None:
        camera = CameraWord.STOPPED
    elif sensing.seen and not sensing.fault:
        camera = CameraWord.WORKS
    else:
        camera = CameraWord.FAILS
    return Word(camera, standing.connected)


class Teller:
    """Keeps the word in the service's own runtime folder; does nothing where there is none.

    Args:
        environ: The process's environment.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        folder = environ.get("RUNTIME_DIRECTORY", "")
        self._path = Path(folder) / NAME if folder else None
        self._told: Word | None = None

    def tell(self, standing: Standing) -> None:
        """Write the word anew where it has changed; a folder that takes nothing is only logged."""
        word = word_of(standing)
        if self._path is None or word == self._told:
            return
        try:
            whole_file.write(self._path, word.to_json())
            self._path.chmod(whole_file.PUBLIC)  # whatever the process's umask
        except OSError as error:
            log.warning("nobody can be told how the box stands", extra={"why": error.strerror})
        else:
            self._told = word
