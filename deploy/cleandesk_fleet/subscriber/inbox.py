"""Where deliveries wait between the network's thread and the one that commits."""

import queue
import time
from collections import deque

from cleandesk.contract.mqtt import Received


class Inbox:
    """Deliveries in order, taken in batches.

    Deliveries that the broker repeats (QoS 1) are bounded by the session's receive maximum; the
    others are dropped above `limit`. `put` and `close` may be called from any thread and from a
    signal handler.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queue: queue.SimpleQueue[Received | None] = queue.SimpleQueue()
        self._kept: deque[Received] = deque()
        self._connection = 0
        self.dropped = 0

    def put(self, received: Received) -> None:
        """Add a delivery; one of QoS 0 is dropped and counted where there are too many."""
        if received.qos == 0 and self._queue.qsize() >= self._limit:
            self.dropped += 1
            return
        self._connection = received.connection
        self._queue.put(received)

    def close(self) -> None:
        """Wake up whoever waits in `take`."""
        self._queue.put(None)

    def take(self, most: int, *, first_s: float, more_s: float) -> list[Received]:
        """Return the next deliveries; none when nothing came in time, or on `close`.

        Args:
            most: At most so many.
            first_s: How long to wait for the first one.
            more_s: How long to wait for others after it.
        """
        batch: list[Received] = []
        deadline = time.monotonic() + first_s
        while len(batch) < most:
            if self._kept:
                received: Received | None = self._kept.popleft()
            else:
                try:
                    received = self._queue.get(timeout=max(deadline - time.monotonic(), 0))
                except queue.Empty:
                    break
            if received is None:
                break
            if not batch:
                deadline = time.monotonic() + more_s
            batch.append(received)
        return batch

    def discard_stale(self) -> None:
        """Drop what the broker sends again since its connection is gone. Not while in `take`."""
        waiting = [*self._kept]
        while not self._queue.empty():
            received = self._queue.get()
            if received is not None:
                waiting.append(received)
        self._kept = deque(r for r in waiting if r.qos == 0 or r.connection == self._connection)
