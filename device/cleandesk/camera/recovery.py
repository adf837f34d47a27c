"""What to do about a camera that failed: flush, stop and start, give up. Pure.

The ladder, and what each step can do:

1. flush: drop what is queued and read once more. Helps when one frame was lost.
2. stop and start the sensor, after a growing, random delay. Helps against most stalls of a driver,
   and against anything on the other side of a network or a cable.
3. give up: the process exits with a code that makes systemd start a new one. Helps when state in
   this process is bad: leaked contiguous memory, a thread stuck in a system call that a signal
   ends. Only for cameras whose driver is in this process; and one that never gave a frame here is
   given up only if it opens: a missing camera is not made whole by a restart, and restarting in
   circles would hide it.
4. beyond this process: a thread that hangs in the kernel, in the camera's driver, outlives every
   signal, and with it the process, which keeps the outbox; after ten minutes of starts that do not
   get it the machine is rebooted (`cleandesk.control.held`). A kernel that hangs as a whole is the
   hardware watchdog's business, which feeds on systemd alone; a camera without power is a person's.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cleandesk.contract.messages import CameraFault

#: Faults that do not show that the driver's state in this process is bad, until it has worked once.
_OUTSIDE = (CameraFault.UNAVAILABLE, CameraFault.ENDED)


class Random(Protocol):
    """Returns a number from 0 up to 1, such as `random.random`."""

    def __call__(self) -> float:
        """Return the next number."""
        ...


class Step(StrEnum):
    """A rung of the ladder."""

    FLUSH = "flush"
    REOPEN = "stop and start"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class LadderSettings:
    """How far and how fast the ladder is climbed.

    Attributes:
        flushes: Reads tried after a stall before the first stop and start.
        reopens: Stops and starts without success before giving up; None: never give up.
        first_delay_s: Longest delay before the first stop and start; it doubles with each.
        max_delay_s: Longest delay of all.
        steady_s: Frames for so long mean that it works again: back to the first rung.
    """

    flushes: int = 1
    reopens: int | None = 6
    first_delay_s: float = 1.0
    max_delay_s: float = 30.0
    steady_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Remedy:
    """The next step, and how long to wait before it, seconds. After giving up, it is a reopen."""

    step: Step
    delay_s: float = 0.0


class Ladder:
    """Chooses the next step from what happened so far.

    Delays are random between 0 and a bound that doubles ("full jitter"; Brooker, "Exponential
    Backoff And Jitter", AWS Architecture Blog, 2015), so that boxes behind one switch do not come
    back in step.
    """

    def __init__(self, settings: LadderSettings, random: Random) -> None:
        self._settings = settings
        self._random = random
        self._flushed = 0
        self._reopened = 0
        self._delivered = False
        self._steady_since: float | None = None

    def delivered(self, mono: float) -> None:
        """Note a good frame at a monotonic time."""
        self._delivered = True
        if self._steady_since is None:
            self._steady_since = mono
        elif mono - self._steady_since >= self._settings.steady_s:
            self._flushed = self._reopened = 0

    def failed(self, fault: CameraFault) -> Remedy:
        """Note a failure and return what to do about it."""
        self._steady_since = None
        flushable = fault is CameraFault.STALLED and not self._reopened
        if flushable and self._flushed < self._settings.flushes:
            self._flushed += 1
            return Remedy(Step.FLUSH)
        limit = self._settings.reopens
        hopeless = limit is not None and self._reopened >= limit and self._own(fault)
        bound_s = self._settings.first_delay_s * 2.0 ** min(self._reopened, 32)
        self._reopened += 1
        return Remedy(
            Step.GIVE_UP if hopeless else Step.REOPEN,
            self._random() * min(bound_s, self._settings.max_delay_s),
        )

    def _own(self, fault: CameraFault) -> bool:
        """Say whether a new process could do better."""
        if fault is CameraFault.FROZEN:
            return False  # an over-exposed picture is frozen, too: exiting would go on all day
        return self._delivered or fault not in _OUTSIDE
