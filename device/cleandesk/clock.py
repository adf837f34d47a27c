"""Time, injected: monotonic for dwell and age, UTC for people, and whether UTC can be trusted."""

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

#: Written by systemd-timesyncd once the clock was set from the network.
TIMESYNC_MARK = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR = 5  # adjtimex(2): "clock not synchronised"
_TIMEX_BYTES = 256  # struct timex is 208 bytes on every 64-bit Linux
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks.

    Attributes:
        mono: Seconds on a clock that never jumps and counts suspend time.
        utc: The same moment for people, aware, in UTC.
        synced: Whether `utc` was set from a trusted source since power-on.
    """

    mono: float
    utc: datetime
    synced: bool


class Clock(Protocol):
    """Where every part of the box takes its time from."""

    def now(self) -> Instant:
        """Return the present moment."""
        ...


class SystemClock:
    """The machine's clocks: CLOCK_BOOTTIME, UTC, and the kernel's word on synchronisation."""

    def now(self) -> Instant:
        """Return the present moment."""
        return Instant(
            mono=time.clock_gettime(time.CLOCK_BOOTTIME),
            utc=datetime.now(UTC),
            synced=clock_synced(),
        )


def clock_synced() -> bool:
    """Say whether the wall clock was set from the network since power-on.

    Asks the kernel by adjtimex(2), as `timedatectl` does; timesyncd's mark answers where the
    system call is denied.
    """
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    state = _libc.adjtimex(timex)
    return TIMESYNC_MARK.exists() if state < 0 else state != _TIME_ERROR


def boot_id() -> str:
    """Return the kernel's id of this power-on, 32 hexadecimal digits."""
    return (
        Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")
    )
