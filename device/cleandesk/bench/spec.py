"""What one part of a measurement is told, and what it tells: JSON between two processes."""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cleandesk.bench.survey import Survey


class Part(StrEnum):
    """What is run, each in a process of its own."""

    BARE = "bare"
    LOOP = "loop"
    LOOP_FILE = "loop_file"
    LOOP_GATED = "loop_gated"
    PLAIN = "plain"
    PLAIN_FILE = "plain_file"
    EVENTS = "events"
    STILL = "still"
    STILL_PLAIN = "still_plain"

    @property
    def plain(self) -> bool:
        """Whether the other loop runs in it, not ours."""
        return self in (Part.PLAIN, Part.PLAIN_FILE, Part.STILL_PLAIN)

    @property
    def gated(self) -> bool:
        """Whether our loop's gate is on in it."""
        return self in (Part.LOOP_GATED, Part.EVENTS, Part.STILL)


class Spec(BaseModel):
    """One run of one part.

    Attributes:
        seconds: How long to measure.
        warm_s: How long to run before that.
        threads: For inference.
        pace: Pictures a second, where they come as from a camera.
        folder: For what the run writes; empty.
    """

    model_config = ConfigDict(frozen=True)

    part: Part
    clip: Path
    survey: Survey
    seconds: float
    warm_s: float
    threads: int
    host: str
    port: int
    folder: Path
    pace: float = 0.0
    config: Path | None = None
    plain: Path | None = None


class StageSums(BaseModel):
    """One stage of one run, milliseconds a frame."""

    model_config = ConfigDict(frozen=True)

    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    runs: int


class Result(BaseModel):
    """What one run gave.

    Attributes:
        frames: Handed over within the window.
        wall_s: The window's length.
        cpu_s: The process's CPU time within it.
        infer_cpu_s: Of that, inference's; None where it was not told apart.
        began_utc: When the window began, seconds since 1970.
        stages: By name; empty where there are none.
        threads: CPU seconds within the window by the thread's name.
    """

    model_config = ConfigDict(frozen=True)

    frames: int
    wall_s: float
    cpu_s: float
    infer_cpu_s: float | None = None
    began_utc: float = 0.0
    stages: dict[str, StageSums] = {}
    threads: dict[str, float] = {}

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.frames / self.wall_s

    @property
    def cores(self) -> float:
        """CPU seconds a second."""
        return self.cpu_s / self.wall_s

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a frame."""
        return 1000 * self.cpu_s / self.frames

    @property
    def overhead_ms(self) -> float:
        """CPU milliseconds a frame outside inference.

        Raises:
            ValueError: If inference was not told apart.
        """
        if self.infer_cpu_s is None:
            raise ValueError("inference's CPU time was not told apart in this part")
        return (self.cpu_s - self.infer_cpu_s) / self.frames * 1000
