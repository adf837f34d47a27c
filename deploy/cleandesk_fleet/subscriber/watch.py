"""Who has not been heard of for too long."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from cleandesk.contract.topics import Address


class Watch:
    """Remembers when each box was last heard, on the clock that never jumps.

    While nobody could be heard (no broker, no database) nobody is silent: `pause` it then.
    """

    def __init__(self, silent_after_s: float) -> None:
        self._silent_after_s = silent_after_s
        self._heard: dict[Address, float] = {}
        self._silent: set[Address] = set()
        self._paused = True

    @property
    def silent(self) -> AbstractSet[Address]:
        """Boxes whose silence was reported."""
        return self._silent

    def expect(self, address: Address, now: float, *, silent: bool = False) -> None:
        """Watch a box from now on, if it is not watched yet."""
        self._heard.setdefault(address, now)
        if silent:
            self._silent.add(address)

    def hear(self, address: Address, now: float) -> None:
        """Take note of a message."""
        self._heard[address] = now
        self._silent.discard(address)

    def forget(self, address: Address) -> None:
        """Stop watching a box: it said goodbye."""
        self._heard.pop(address, None)
        self._silent.discard(address)

    def pause(self) -> None:
        """Stop judging."""
        self._paused = True

    def resume(self, now: float) -> None:
        """Judge again; everybody's time starts anew."""
        self._heard = dict.fromkeys(self._heard, now)
        self._paused = False

    def shift(self, by_s: float, now: float) -> None:
        """Leave out a time in which nobody was listened to; what was heard before it still counts.

        Who stands still again and again judges later, but does judge.
        """
        self._heard = {one: min(heard + by_s, now) for one, heard in self._heard.items()}

    def due(self, now: float) -> list[Address]:
        """Return the boxes that have become silent and were not reported yet."""
        if self._paused:
            return []
        return [
            address
            for address, heard in self._heard.items()
            if now - heard > self._silent_after_s and address not in self._silent
        ]

    def reported(self, addresses: Iterable[Address]) -> None:
        """Take note that these are known to be silent."""
        self._silent.update(addresses)
