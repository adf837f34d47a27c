"""So many boxes fetch at once; the others are told when to come again.

Ten thousand that are asked at once come in a queue that nobody keeps: each that is turned away is
told a later moment than the one before it, so that what comes back is a steady few a second.
"""

import math
from collections.abc import Callable

#: Who is turned away comes no sooner, and so many of them come in a second.
_LEAST_S, _COME_PER_S = 15.0, 10.0
#: Whoever is cut off, or asks for the next part, is still at it within that.
_KEEPS_S = 10.0


class Turnstile:
    """Lets so many in at once; it is safe to use from one thread only.

    Args:
        at_once: So many.
        clock: Seconds on a clock that never jumps.
    """

    def __init__(self, at_once: int, clock: Callable[[], float]) -> None:
        self._at_once, self._clock = at_once, clock
        self._inside: set[str] = set()
        # Until when the place of one who went out is kept.
        self._kept: dict[str, float] = {}
        self._next = 0.0

    def enter(self, name: str) -> int:
        """Let one in; returns 0, or in how many seconds to come again.

        Whoever was let in has to `leave`. One who is inside already is not let in once more: its
        other connection will soon be gone, or it wants more than its share.
        """
        now = self._clock()
        self._kept = {one: until for one, until in self._kept.items() if until > now}
        if name in self._inside:
            return math.ceil(_KEEPS_S)
        others = len(self._inside | self._kept.keys() - {name})
        if others < self._at_once:
            self._kept.pop(name, None)
            self._inside.add(name)
            return 0
        self._next = max(self._next, now + _LEAST_S) + 1 / _COME_PER_S
        return math.ceil(self._next - now)

    def leave(self, name: str) -> None:
        """Let one out; its place is kept for a moment."""
        self._inside.discard(name)
        self._kept[name] = self._clock() + _KEEPS_S
