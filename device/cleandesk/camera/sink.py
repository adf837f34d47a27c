"""Where the capture thread leaves its frames."""

import threading
from typing import Protocol, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)


class Sink(Protocol[T_contra]):
    """Takes items from one thread: the newest wins, or none is lost, as the sender chooses."""

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
