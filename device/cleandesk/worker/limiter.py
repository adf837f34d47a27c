"""How much of something is let through in any span of time. Pure."""

from collections import deque

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0


class Limiter:
    """Lets so much through in any span of time.

    Args:
        most: How much: a count, or bytes.
        span_s: In how long, seconds.
    """

    def __init__(self, most: float, span_s: float) -> None:
        self._most, self._span_s = most, span_s
        self._taken: deque[tuple[float, int]] = deque()
        self._sum = 0

    def full(self, now: float) -> bool:
        """Say whether no more is let through at present."""
        while self._taken and now - self._taken[0][0] >= self._span_s:
            self._sum -= self._taken.popleft()[1]
        return self._sum >= self._most

    def count(self, now: float, amount: int = 1) -> None:
        """Count what was let through."""
        self._taken.append((now, amount))
        self._sum += amount

    def take(self, now: float) -> bool:
        """Count one more, unless it is full; say whether it is let through."""
        if self.full(now):
            return False
        self.count(now)
        return True
