"""The real program, `cleandesk run`, as a process to be watched: its start, its memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from cleandesk.bench import stats
from cleandesk.bench.errors import BenchError
from cleandesk.bench.listener import Listener
from cleandesk.settings import BoxSettings

_COMMAND = (sys.executable, "-c", "from cleandesk.cli import main; main()", "run", "--config")
_STOP_S = 30.0
_PATIENCE_S = 60.0
#: Of a process's life, so much is its warm-up: caches fill, the allocator finds its size.
WARM_SHARE = 0.25
_SAMPLE_S = 1.0
_QUICK_SAMPLE_S = 0.1


@dataclass(slots=True)
class Memory:
    """Resident memory of a process over time.

    Attributes:
        times: Seconds since the first sample.
        mb: MB (10^6 bytes), one for each time.
        frames: That the box had taken in, one for each time.
        peak_mb: The most that the kernel ever counted.
        cuts: How often it was cut off the broker.
    """

    times: list[float] = field(default_factory=list)
    mb: list[float] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    peak_mb: float = 0.0
    cuts: int = 0

    @property
    def slope_mb_per_h(self) -> float:
        """Growth after the warm-up, by the clock on the wall."""
        times, mb = stats.settled(self.times, WARM_SHARE), stats.settled(self.mb, WARM_SHARE)
        return stats.slope(times, mb) * 3600

    @property
    def largest_mb(self) -> float:
        """The largest sample."""
        return max(self.mb)

    @property
    def frames_per_s(self) -> float:
        """How fast it was."""
        return (self.frames[-1] - self.frames[0]) / max(self.times[-1] - self.times[0], 1e-9)


@contextmanager
def box(settings: BoxSettings, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a box until the block ends.

    Args:
        settings: Its own; written into the folder.
        folder: For its settings, outbox and log.
    """
    config = folder / "box.yaml"
    said = settings.model_dump(mode="json", by_alias=True, exclude_none=True)
    config.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    with (folder / "words").open("wb") as words:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [*_COMMAND, str(config)], stdout=words, stderr=words
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def start_s(settings: BoxSettings, folder: Path, listener: Listener) -> float:
    """Return the seconds from a process's start to its first detection's being told.

    Args:
        settings: Whose rules open at the first sighting of what the recording begins with.
        folder: For the box's files.
        listener: Of its events.
    """
    listener.forget()
    began = time.time()
    with box(settings, folder) as process:
        _wait_for(process, folder, lambda: bool(listener.events()), "a first detection")
        return listener.events()[0].at - began


def watch_memory(
    settings: BoxSettings,
    folder: Path,
    listener: Listener,
    frames: int,
    on_sample: Callable[[int], None],
) -> Memory:
    """Watch a box's memory while it takes in so many frames.

    Args:
        settings: Of a recording that repeats, unpaced; health every second.
        folder: For the box's files.
        listener: Of its health.
        frames: How many.
        on_sample: Told the number of frames at each sample.
    """
    listener.forget()
    memory = Memory()
    with box(settings, folder) as process:
        _wait_for(process, folder, lambda: listener.frames() > 0, "a first frame")
        began = time.monotonic()
        taken = 0
        while taken < frames:
            now = time.monotonic() - began
            _check(process, folder)
            taken = listener.frames()
            memory.times.append(now)
            memory.mb.append(resident_mb(process.pid))
            memory.frames.append(taken)
            on_sample(taken)
            time.sleep(_QUICK_SAMPLE_S if now < 60 * _SAMPLE_S else _SAMPLE_S)
        memory.peak_mb = peak_mb(process.pid)
    return memory


def resident_mb(pid: int) -> float:
    """Return a process's resident memory, MB (10^6 bytes)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_mb(pid: int) -> float:
    """Return the most memory that a process ever had, MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise BenchError(f"/proc/{pid}/status names no VmHWM: is this Linux?")


def _wait_for(
    process: "subprocess.Popen[bytes]", folder: Path, condition: Callable[[], bool], what: str
) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not condition():
        _check(process, folder)
        if time.monotonic() > give_up:
            raise BenchError(f"cleandesk run: {what} did not come within {_PATIENCE_S:g} s")
        time.sleep(0.002)


def _check(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    if process.poll() is not None:
        words = (folder / "words").read_text(encoding="utf-8", errors="replace").strip()
        last = words.splitlines()[-1:] or ["nothing"]
        raise BenchError(f"cleandesk run ended with {process.returncode}; it said {last[0]}")
