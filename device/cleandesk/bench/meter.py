"""CPU time by thread and by stage, and the window of time over which it is taken."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cleandesk.vitals import StageTimer

#: The kernel's clock of one thread's CPU time, from its id: `(~tid << 3) | CPUCLOCK_PERTHREAD |
#: CPUCLOCK_SCHED`, as glibc's pthread_getcpuclockid makes it; works for threads of libraries too.
_PER_THREAD_SCHED = 6


def threads_cpu() -> dict[int, float]:
    """Return the CPU seconds of each of this process's threads, by the kernel's thread id."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        tid = int(task.name)
        try:
            found[tid] = time.clock_gettime((~tid << 3) | _PER_THREAD_SCHED)
        except OSError:  # it ended since
            continue
    return found


def thread_names() -> dict[int, str]:
    """Return the names of Python's threads by the kernel's thread id."""
    return {t.native_id: t.name for t in threading.enumerate() if t.native_id is not None}


class CpuTimer(StageTimer):
    """A stage timer that also keeps each time, and the CPU time of the thread that ran it."""

    def __init__(self) -> None:
        super().__init__()
        self.wall: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of one frame."""
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            with super().stage(name):
                yield
        finally:
            self.cpu.setdefault(name, []).append(time.thread_time() - cpu)
            self.wall.setdefault(name, []).append(time.perf_counter() - wall)

    def forget(self) -> None:
        """Begin anew; called where the window begins."""
        self.wall.clear()
        self.cpu.clear()


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment of a process.

    Attributes:
        wall: Seconds on a monotonic clock.
        cpu: CPU seconds of the process.
        threads: CPU seconds of each thread.
        names: Those that have a name.
        frames: Handed over so far.
    """

    wall: float
    cpu: float
    threads: dict[int, float]
    names: dict[int, str]
    frames: int


class Window:
    """The stretch of a run that counts: after a warm-up, for so long.

    Frames are counted where they are handed over, so that the loop under test carries nothing of
    the measurement but the timer.

    Args:
        warm_s: Seconds before it begins.
        seconds: How long it is.

    Attributes:
        on_begin: Called when it begins, before the first mark.
        on_end: Called once when it is over.
    """

    def __init__(self, warm_s: float, seconds: float) -> None:
        self._warm_s, self._seconds = warm_s, seconds
        self.on_begin: Callable[[], None] | None = None
        self.on_end: Callable[[], None] | None = None
        self._frames = 0
        self._started: float | None = None
        self.begin: Mark | None = None
        self.end: Mark | None = None

    def frame(self) -> bool:
        """Count one frame that is handed over; say whether the window is still to end."""
        now = time.perf_counter()
        if self._started is None:
            self._started = now
        self._frames += 1
        if self.begin is None:
            if now - self._started >= self._warm_s:
                if self.on_begin:
                    self.on_begin()
                self.begin = self._mark()
        elif self.end is None and now - self.begin.wall >= self._seconds:
            self.end = self._mark()
            if self.on_end:
                self.on_end()
        return self.end is None

    def _mark(self) -> Mark:
        return Mark(
            wall=time.perf_counter(),
            cpu=time.process_time(),
            threads=threads_cpu(),
            names=thread_names(),
            frames=self._frames,
        )
