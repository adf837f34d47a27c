"""What the broker sent and the link's thread has not looked at yet: bounded, whoever floods it."""

import threading
from collections import deque

from cleandesk.clock import Instant
from cleandesk.contract.publication import Received


class Inbox:
    """Messages of one kind, the oldest first. From any thread.

    Args:
        most: So many wait at most, the oldest go first.
        most_bytes: And so much of them.
        largest: A message of more bytes is not taken at all.
    """

    def __init__(self, most: int, most_bytes: int, largest: int) -> None:
        self._most, self._most_bytes, self._largest = most, most_bytes, largest
        self._guard = threading.Lock()
        self._waiting: deque[tuple[Received, Instant]] = deque()
        self._bytes = self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many were given up, ever."""
        return self._dropped

    def put(self, received: Received, arrived: Instant) -> bool:
        """Add a message; say whether it is the first one that waits, so that somebody is told."""
        size = _size(received)
        with self._guard:
            if size > self._largest:
                self._dropped += 1
                return False
            first = not self._waiting
            self._waiting.append((received, arrived))
            self._bytes += size
            while len(self._waiting) > self._most or self._bytes > self._most_bytes:
                self._bytes -= _size(self._waiting.popleft()[0])
                self._dropped += 1
            return first

    def take(self) -> list[tuple[Received, Instant]]:
        """Take all that wait."""
        with self._guard:
            taken = list(self._waiting)
            self._waiting.clear()
            self._bytes = 0
            return taken


def _size(received: Received) -> int:
    texts = (received.topic, received.response_topic or "", *(sum(received.user, ())))
    return len(received.payload) + len(received.correlation or b"") + sum(map(len, texts))
