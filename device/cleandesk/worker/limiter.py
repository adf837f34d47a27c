"""How many of something are let through in any span of time. Pure."""

from collections import deque

MINUTE_S, HOUR_S = 60.0, 3600.0


class Limiter:
    """Lets so many through in any span of time.

    Args:
        most: How many.
        span_s: In how long, seconds.
    """

    def __init__(self, most: int, span_s: float) -> None:
        self._most, self._span_s = most, span_s
        self._times: deque[float] = deque()

    def full(self, now: float) -> bool:
        """Say whether no more are let through at present."""
        while self._times and now - self._times[0] >= self._span_s:
            self._times.popleft()
        return len(self._times) >= self._most

    def count(self, now: float) -> None:
        """Count one that was let through."""
        self._times.append(now)
