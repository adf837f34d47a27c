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
    """Counts wrong PINs of all strangers together: whoever tries can have many addresses.

    A device that is known has a count of its own, so that no stranger can make the worker wait. The
    wait is measured on the clock that never jumps, and begins anew with each start, so that neither
    pulling the plug nor setting the clock shortens it.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._start = clock.now().mono
        self._last: dict[str | None, float] = {}

    def left_s(self, device: str | None = None) -> float:
        """Return how long nobody may try, or a device that is known may not, seconds; 0 is now."""
        waited = self._clock.now().mono - self._last.get(device, self._start)
        return max(0.0, wait_s(self._failures(device)) - waited)

    def begin(self, device: str | None = None) -> None:
        """Count an attempt as wrong before it is looked at, so that none is lost by a power cut."""
        self._put(device, self._failures(device) + 1)
        self._last[device] = self._clock.now().mono

    def succeeded(self, device: str | None = None) -> None:
        """Forget the wrong ones."""
        self._put(device, 0)
        self._last.pop(device, None)

    def _failures(self, device: str | None) -> int:
        return self._store.failures if device is None else self._store.device_failures(device) or 0

    def _put(self, device: str | None, failures: int) -> None:
        if device is None:
            self._store.failures = failures
        else:
            self._store.put_device(device, failures, self._clock.now().utc)
