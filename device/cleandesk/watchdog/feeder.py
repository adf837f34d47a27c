"""Feeds the watchdog from the loop's own turns, as long as all stages do what they were told to."""

import logging
from collections.abc import Callable

from cleandesk.watchdog.notify import Manager
from cleandesk.watchdog.stages import LATE_S, Standing, why_not
from cleandesk.watchdog.word import Teller

log = logging.getLogger(__name__)

_A_PERIOD = 4  # systemd advises two; a slow turn of the loop then costs nothing


class Feeder:
    """Asked in each turn of a loop; a loop that hangs does not ask.

    Args:
        manager: Who watches; default: the one that started this process.
        teller: Hears how the stages stand; default: this service's own.
    """

    def __init__(self, manager: Manager | None = None, teller: Teller | None = None) -> None:
        self._manager, self._teller = manager or Manager(), teller or Teller()
        watchdog_s = self._manager.watchdog_s
        self._every_s = None if watchdog_s is None else watchdog_s / _A_PERIOD
        self._ready = False
        self._due = float("-inf")
        self._held_since: float | None = None
        self._told: str | None = None

    def within(self, longest_s: float) -> float:
        """Return how long a loop may wait in one turn, seconds; at most this."""
        return longest_s if self._every_s is None else min(longest_s, self._every_s)

    def turn(self, now: float, standing: Callable[[], Standing]) -> None:
        """Say that the loop turns: the first time ready, then fed where all is well.

        Args:
            now: The present moment, monotonic, seconds.
            standing: How the stages stand; asked where it is time to feed.
        """
        if not self._ready:
            self._ready = True
            self._manager.tell("READY=1")
        if self._every_s is None or now < self._due:
            return
        stands = standing()
        why = why_not(stands)
        if why is None:
            self._due = now + self._every_s
            self._manager.tell("WATCHDOG=1", *([] if self._told is None else ["STATUS="]))
            self._held_since = self._told = None
            self._teller.tell(stands)
        else:
            self._hold(now, why)

    def _hold(self, now: float, why: str) -> None:
        """Not feed; what lasts is said, so that the log knows why the process was ended."""
        if self._held_since is None:
            self._held_since = now
        if why != self._told and now - self._held_since >= min(LATE_S, self._every_s or LATE_S):
            self._told = why
            log.error("the watchdog is not fed: it will restart the box", extra={"why": why})
            self._manager.tell(f"STATUS=not fed: {why}")

    def leave(self) -> None:
        """Say that the loop is done: what hangs from here on falls under the time to stop."""
        self._manager.tell("STOPPING=1")
