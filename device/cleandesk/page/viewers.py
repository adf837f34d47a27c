"""How many may watch live at once: each holds a connection to the box."""

from collections.abc import Iterator
from contextlib import contextmanager

#: The box has room for eight connections; short requests need some of it.
MOST = 4


class Viewers:
    """Counts those who watch, and sends them away when the page ends."""

    def __init__(self) -> None:
        self._count = 0
        #: The page ends: all that go on by themselves must, too.
        self.closing = False

    @property
    def full(self) -> bool:
        """Whether one more is too many."""
        return self._count >= MOST

    @contextmanager
    def one(self) -> Iterator[None]:
        """Be one of them."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
