"""A thread's word that it goes on, and by when it will give the next one."""

import math
from collections.abc import Callable


class Heartbeat:
    """Written by one thread, read by another. A thread that waits says for how long.

    So there is one rule for all: a network that is away, a paced recording and a growing delay
    between two tries are silent for as long as they said; a thread that hangs is silent for longer.

    Args:
        name: Of the thread, for people.
        mono: Tells the time, seconds; the reader's clock.
    """

    def __init__(self, name: str, mono: Callable[[], float]) -> None:
        self.name = name
        self._mono = mono
        self._due = math.inf  # what has not begun is not late

    @property
    def due(self) -> float:
        """By when there is the next word; infinity before the first and after the last one."""
        return self._due

    def beat(self, silent_s: float, now: float | None = None) -> None:
        """Go on, and be silent for at most so many seconds from now.

        Args:
            silent_s: For how long at most.
            now: The present moment, if the thread has just asked for it.
        """
        self._due = (self._mono() if now is None else now) + silent_s

    def end(self) -> None:
        """Be done, in order."""
        self._due = math.inf
