"""Where deliveries wait between the network's thread and the one that commits."""

import queue
import time
from collections import deque

from cleandesk.contract.mqtt import Received

_SLICE_S = 0.005  # of a wait, after which it is seen that there is enough


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
        self._closed = False
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
        self._closed = True
        self._queue.put(None)

    def take(self, most: int, *, first_s: float, more_s: float) -> list[Received]:
        """Return the next deliveries; none when nothing came in time, or on `close`.

        Args:
            most: At most so many.
            first_s: How long to wait for the first one.
            more_s: How long to wait for others after it.
        """
        first = self._next(first_s)
        if first is None:
            return []
        deadline = time.monotonic() + more_s
        # Who waits for each one is woken for each one, and the network's thread waits meanwhile:
        # that costs several times what a delivery does.
        while not self._closed and len(self._kept) + self._queue.qsize() < most - 1:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            time.sleep(min(left_s, _SLICE_S))
        batch = [first]
        while len(batch) < most and (received := self._next(0)) is not None:
            batch.append(received)
        return batch

    def _next(self, wait_s: float) -> Received | None:
        if self._kept:
            return self._kept.popleft()
        try:
            return self._queue.get(timeout=wait_s)
        except queue.Empty:
            return None

    def discard_stale(self) -> None:
        """Drop what the broker sends again since its connection is gone. Not while in `take`."""
        waiting = [*self._kept]
        while not self._queue.empty():
            received = self._queue.get()
            if received is not None:
                waiting.append(received)
        self._kept = deque(r for r in waiting if r.qos == 0 or r.connection == self._connection)
