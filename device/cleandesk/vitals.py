"""How the machine and the frame loop do: stage times, memory, temperature, throttling."""

import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import numpy as np

from cleandesk.contract.messages import StageTimes

#: Raspberry Pi firmware's word on under-voltage and throttling, a hexadecimal bit mask.
THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_NOW_BITS = 0xF  # what is so at present; the bits above say what was so since power-on
_WINDOW_S = 60.0
_KEPT = 3600  # looks: the window at 60 a second, the most that the settings allow


class StageTimer:
    """Times the stages of the frame loop over the last minute; memory does not grow."""

    def __init__(self) -> None:
        self._times: dict[str, deque[tuple[float, float]]] = {}  # when it ended, how long it took
        self._looks: deque[float] = deque(maxlen=_KEPT)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of one frame."""
        start = perf_counter()
        try:
            yield
        finally:
            end = perf_counter()
            self._times.setdefault(name, deque(maxlen=_KEPT)).append((end, end - start))

    def looked(self) -> None:
        """Count one completed look."""
        self._looks.append(perf_counter())

    def looks_per_s(self) -> float:
        """Return looks per second over the last minute, or since the start if that is less."""
        now = perf_counter()
        recent = [t for t in self._looks if now - t <= _WINDOW_S]
        if len(recent) < 2:  # noqa: PLR2004 - one look has no rate
            return 0.0
        return (len(recent) - 1) / max(now - recent[0], 1e-6)

    def percentiles(self) -> Mapping[str, StageTimes]:
        """Return p50 and p95 of each stage over the last minute, milliseconds."""
        now = perf_counter()
        result = {}
        for name, times in self._times.items():
            recent = [took for ended, took in times if now - ended <= _WINDOW_S]
            if recent:
                p50, p95 = np.percentile(np.array(recent), (50, 95)) * 1000
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
