"""What is to be measured, and how long."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cleandesk.bench.errors import BenchError
from cleandesk.detector import default_manifest

_CLIP = "models/demo/desk.mp4"


class Topic(StrEnum):
    """What can be measured alone."""

    SPEED = "speed"
    EVENTS = "events"
    STILL = "still"
    START = "start"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole measurement.

    Attributes:
        clip: The recording.
        config: A box's settings; None: our own rules, on the whole picture.
        seconds: Of each run, after its warm-up.
        rounds: How often everything but memory is run.
        broker: `host:port`; None: one of our own.
        plain: A Python file with another loop; None: nothing is compared.
        frames: For how many of them memory is watched.
        topics: What to measure.
    """

    clip: Path
    config: Path | None = None
    seconds: float = 5.0
    rounds: int = 3
    broker: str | None = None
    plain: Path | None = None
    frames: int = 5000
    topics: tuple[Topic, ...] = tuple(Topic)


def default_clip() -> Path:
    """Return the demo's clip.

    Raises:
        BenchError: If there is none, as in an installed package.
    """
    clip = default_manifest().parents[2] / _CLIP
    if not clip.is_file():
        raise BenchError("no clip came with this installation: name one by --source")
    return clip
