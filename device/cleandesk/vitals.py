"""How the machine and the frame loop do: stage times, memory, temperature, throttling."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from cleandesk.contract.health import StageTimes

#: Raspberry Pi firmware's word on under-voltage and throttling, a hexadecimal bit mask.
THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_NOW_BITS = 0xF  # what is so at present; the bits above say what was so since power-on
_WINDOW_S = 60.0
_KEPT = 3600  # looks: the window at 60 a second, the most that the settings allow


@dataclass(frozen=True, slots=True)
class Heat:
    """How hot the processor is; None where the machine does not tell.

    Attributes:
        celsius: Its temperature.
        throttled: Whether it is slowed down at present.
    """

    celsius: float | None
    throttled: bool | None


class _Ring:
    """The last values with the moments they came at; all its memory is taken at the start."""

    def __init__(self) -> None:
        self._rows = np.full((_KEPT, 2), -np.inf)
        self._next = 0

    def add(self, at: float, value: float = 0.0) -> None:
        """Keep one, in place of the oldest."""
        self._rows[self._next] = at, value
        self._next = (self._next + 1) % _KEPT

    def recent(self, now: float) -> NDArray[np.float64]:
        """Return those within the window, float64 [n, 2]: moment and value, in no order."""
        return self._rows[self._rows[:, 0] >= now - _WINDOW_S]


class StageTimer:
    """Times the stages of the frame loop, in whichever thread, over the last minute."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._stages: dict[str, _Ring] = {}
        self._looks, self._skips = _Ring(), _Ring()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of one frame."""
        start = perf_counter()
        try:
            yield
        finally:
            end = perf_counter()
            with self._guard:
                if name not in self._stages:
                    self._stages[name] = _Ring()
                self._stages[name].add(end, end - start)

    def looked(self) -> None:
        """Count one completed look."""
        self._looks.add(perf_counter())

    def skipped(self) -> None:
        """Count one frame that needed no look."""
        self._skips.add(perf_counter())

    def looks_per_s(self) -> float:
        """Return looks per second over the last minute, or since the start if that is less."""
        now = perf_counter()
        looks = self._looks.recent(now)
        if len(looks) < 2:  # noqa: PLR2004 - one look has no rate
            return 0.0
        return float((len(looks) - 1) / max(now - looks[:, 0].min(), 1e-6))

    def skipped_share(self) -> float:
        """Return the share of the last minute's frames that needed no look; 0 of none is 0."""
        now = perf_counter()
        skips, looks = (len(ring.recent(now)) for ring in (self._skips, self._looks))
        return skips / max(skips + looks, 1)

    def percentiles(self) -> Mapping[str, StageTimes]:
        """Return p50 and p95 of each stage over the last minute, milliseconds."""
        now = perf_counter()
        with self._guard:
            recent = {name: ring.recent(now)[:, 1] for name, ring in self._stages.items()}
        result = {}
        for name, times in recent.items():
            if len(times):
                p50, p95 = np.percentile(times, (50, 95)) * 1000
                result[name] = StageTimes(p50_ms=round(float(p50), 3), p95_ms=round(float(p95), 3))
        return result


def memory_mb() -> float:
    """Return this process's resident memory, MB (10^6 bytes)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def temperature_c(path: Path = TEMPERATURE) -> float | None:
    """Return the processor's temperature in Celsius; None where the machine does not tell."""
    try:
        return int(path.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None


def throttled(path: Path = THROTTLED) -> bool | None:
    """Say whether the processor is slowed down at present; None where the machine does not tell."""
    try:
        return bool(int(path.read_text(encoding="ascii"), 16) & _NOW_BITS)
    except (OSError, ValueError):
        return None


def heat() -> Heat:
    """Return how hot the processor is."""
    return Heat(temperature_c(), throttled())
