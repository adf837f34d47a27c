"""How often one address may ask: a bucket of tokens for each, and for so many at most."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

_MOST = 10_000
_V6_SITE = 64


class Limiter:
    """Lets each address ask so often; it is safe to use from one thread only.

    Args:
        per_s: So many tokens come back a second.
        burst: So many there are at most.
        clock: Seconds on a clock that never jumps.
    """

    def __init__(self, *, per_s: float, burst: int, clock: Callable[[], float]) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, address: str) -> float:
        """Return how many tokens an address has now."""
        tokens, at = self._buckets.get(network(address), (float(self._burst), self._clock()))
        return min(float(self._burst), tokens + (self._clock() - at) * self._per_s)

    def take(self, address: str) -> bool:
        """Take one token; returns False if there is none."""
        left = self.left(address)
        taken = left >= 1
        key = network(address)
        self._buckets[key] = (left - taken, self._clock())
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return taken

    def wait_s(self, address: str) -> int:
        """Return in how many seconds an address may ask again."""
        return max(1, round((1 - self.left(address)) / self._per_s))


def network(address: str) -> str:
    """Return what counts as one asker: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - IPv4
        return address
    return str(ipaddress.ip_network((parsed, _V6_SITE), strict=False))
