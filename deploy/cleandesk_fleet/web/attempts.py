"""How long one must wait after wrong passwords, and so that nobody else has to."""

from collections import OrderedDict
from collections.abc import Callable

from cleandesk_fleet.limits import network

_FREE = 5
_FIRST_S = 5.0
#: Twelve characters are not found at four tries an hour, from however many networks.
LONGEST_S = 900.0
_MOST = 10_000


def wait_s(failures: int) -> float:
    """Return the wait after so many wrong passwords in a row, seconds."""
    if failures < _FREE:
        return 0.0
    return min(LONGEST_S, _FIRST_S * 2.0 ** min(failures - _FREE, 20))


class Attempts:
    """Counts wrong passwords for each account and network, or device that is known.

    Somebody who guesses makes their own network wait, for that account. People elsewhere do not
    wait for them, and on a device that they signed in on before they have a count of their own,
    whatever network it is in. A restart forgets: guessing does not bring one about.

    Args:
        clock: Seconds on a clock that never jumps.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def left_s(self, account: str, address: str, device: str | None = None) -> float:
        """Return how long this one may not try, seconds; 0 is now."""
        known = self._wrong.get(_key(account, address, device))
        if known is None:
            return 0.0
        failures, at = known
        return max(0.0, wait_s(failures) - (self._clock() - at))

    def begin(self, account: str, address: str, device: str | None = None) -> None:
        """Count an attempt as wrong before it is looked at: many at once are many."""
        key = _key(account, address, device)
        failures, _ = self._wrong.pop(key, (0, 0.0))
        self._wrong[key] = (failures + 1, self._clock())
        if len(self._wrong) > _MOST:
            self._wrong.popitem(last=False)

    def succeeded(self, account: str, address: str, device: str | None = None) -> None:
        """Forget the wrong ones."""
        self._wrong.pop(_key(account, address, device), None)


def _key(account: str, address: str, device: str | None) -> tuple[str, str]:
    return account, f"device {device}" if device else network(address)
