"""One slot between two threads: the newest wins, or nothing is lost, as the sender chooses."""

import threading
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Sink(Protocol[T_contra]):
    """Where a sender's thread leaves items, the methods as of a `Mailbox`."""

    @property
    def dropped(self) -> int:
        """Items that a newer one replaced before they were taken."""
        ...

    def put(self, item: T_contra, /) -> None:
        """Leave an item, in place of one that was not taken. Never waits."""
        ...

    def put_wait(self, item: T_contra, /, *, unless: threading.Event) -> bool:
        """Leave an item once there is room; say whether it was left."""
        ...

    def clear(self) -> None:
        """Throw away what is there, and let a sender see that it should give up."""
        ...


class Mailbox(Generic[T]):
    """A slot for one item, from one sender to one receiver."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._dropped = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """Items that a newer one replaced before they were taken."""
        return self._dropped

    def put(self, item: T) -> None:
        """Leave an item; one that is still there is dropped and counted. Never waits."""
        with self._changed:
            if self._closed:
                return
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def put_wait(self, item: T, *, unless: threading.Event | None = None) -> bool:
        """Leave an item and wait until it was taken.

        Args:
            item: What to leave, after anything that lies there was taken.
            unless: Set before `clear()` to give up waiting.

        Returns:
            Whether it was taken.
        """
        given_up = unless or threading.Event()

        def free() -> bool:
            return self._item is None or self._closed or given_up.is_set()

        def gone() -> bool:
            return self._item is not item or self._closed or given_up.is_set()

        with self._changed:
            self._changed.wait_for(free)
            if self._closed or given_up.is_set():
                return False
            self._item = item
            self._changed.notify_all()
            self._changed.wait_for(gone)
            return self._item is not item

    def take(self, timeout_s: float) -> T | None:
        """Take what is there, waiting for it so long; None if nothing came or it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def clear(self) -> None:
        """Throw away what is there, and let a sender see that it should give up."""
        with self._changed:
            self._item = None
            self._changed.notify_all()

    def close(self) -> None:
        """Wake everybody and accept no more; what is there can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
