"""A push on the button, or a long one. Pure: its time is the caller's, seconds, monotonic."""

from enum import Enum, auto


class Press(Enum):
    """What somebody did with the button."""

    SHORT = auto()  # it was let go before it counted as held
    LONG = auto()  # it was held; what follows is no push


class Presses:
    """Tells one from the other.

    Args:
        hold_s: Held for so long, it is a long one.
    """

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._since: float | None = None
        self._told = False

    def goes(self, *, down: bool, at: float) -> Press | None:
        """Note that it goes down or up; returns what that makes.

        It may be told late: a long push counts by its own moments. One that was down before anybody
        looked is nothing.
        """
        if down:
            self._since, self._told = at, False
            return None
        was_down, told = self._since is not None, self._told
        long = self.lasts(at)
        self._since = None
        if long is not None or told or not was_down:
            return long
        return Press.SHORT

    def lasts(self, now: float) -> Press | None:
        """Return a long push, once, as soon as it has lasted."""
        if self._since is None or self._told or now - self._since < self._hold_s:
            return None
        self._told = True
        return Press.LONG

    def left_s(self, now: float) -> float | None:
        """Return how long until what is down is a long push; None: nothing is."""
        if self._since is None or self._told:
            return None
        return max(0.0, self._since + self._hold_s - now)
