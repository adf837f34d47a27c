"""How long one must wait after wrong PINs; growing, and not forgotten by a restart."""

from cleandesk.clock import Clock
from cleandesk.page.store import Store

_FREE = 3
_FIRST_S = 5.0
#: With six digits and one try an hour, a hundred years of trying find one PIN.
LONGEST_S = 3600.0


def wait_s(failures: int) -> float:
    """Return the wait after so many wrong PINs in a row, seconds."""
    if failures < _FREE:
        return 0.0
    return min(LONGEST_S, _FIRST_S * 2.0 ** min(failures - _FREE, 20))


class Attempts:
    """Counts wrong PINs of everybody together: whoever tries can have many addresses.

    The wait is measured on the clock that never jumps, and begins anew with each start, so that
    neither pulling the plug nor setting the clock shortens it.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._last = clock.now().mono

    def left_s(self) -> float:
        """Return how long nobody may try, seconds; 0 is now."""
        waited = self._clock.now().mono - self._last
        return max(0.0, wait_s(self._store.failures) - waited)

    def begin(self) -> None:
        """Count an attempt as wrong before it is looked at, so that none is lost by a power cut."""
        self._store.failures += 1
        self._last = self._clock.now().mono

    def succeeded(self) -> None:
        """Forget the wrong ones."""
        self._store.failures = 0
