"""Two places between the thread that prepares pictures and the one that looks at them."""

import threading
from typing import Generic, TypeVar

from cleandesk.detector.session import PLACES

T = TypeVar("T")


class Tray(Generic[T]):
    """Hands items over that each lie in one of two places, from one sender to one receiver.

    One place belongs to the receiver from `take` to the next `take`. In the other one the sender
    makes the next item ready meanwhile, and no more than that one: newer ones replace it, or wait.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ready: tuple[int, T] | None = None
        self._used: int | None = None
        self._dropped = 0
        self._woken = False

    @property
    def dropped(self) -> int:
        """Items that a newer one replaced before they were taken."""
        return self._dropped

    @property
    def waiting(self) -> bool:
        """Whether an item is ready that was not taken."""
        return self._ready is not None

    def begin(self) -> int:
        """Return a place to fill, never waiting; an item that is ready is dropped for it."""
        with self._changed:
            self._dropped += self._ready is not None
            self._ready = None
            return self._free()

    def begin_after(self, *, unless: threading.Event) -> int | None:
        """Return a place to fill once what is ready was taken.

        Args:
            unless: Set before `clear()` to give up waiting.

        Returns:
            The place; None if it gave up.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready is None or unless.is_set())
            return None if unless.is_set() else self._free()

    def put(self, place: int, item: T) -> None:
        """Leave an item whose place was filled."""
        with self._changed:
            self._ready = (place, item)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> T | None:
        """Take what is ready, waiting for it so long; the place taken before is free from now on.

        Returns:
            The item; None if none came, or the receiver was woken.
        """
        with self._changed:
            self._used = None
            self._changed.wait_for(lambda: self._ready is not None or self._woken, timeout_s)
            self._woken = False
            if self._ready is None:
                return None
            self._used, item = self._ready
            self._ready = None
            self._changed.notify_all()
            return item

    def wake(self) -> None:
        """Have the receiver return at once from `take`: there is something else to do."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Throw away what is ready, and let a sender see that it should give up."""
        with self._changed:
            self._ready = None
            self._changed.notify_all()

    def _free(self) -> int:
        return next(place for place in range(PLACES) if place != self._used)
