"""What comes to the box: acks, its configuration, requests; each kind waits apart, and bounded."""

import logging
from collections.abc import Callable

from cleandesk.clock import Clock, Instant
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Channel
from cleandesk.link.inbox import Inbox

log = logging.getLogger(__name__)

_MOST_REQUESTS, _LARGEST_REQUEST = 64, 8192
_COMPLAIN_EVERY_S = 60.0

Deal = Callable[[float], None]


class Arrivals:
    """Takes messages in the session's thread, and hands them on in the link's.

    Args:
        address: The box.
        clock: Says when something came.
        largest: Bytes of the largest message that is taken at all.
        on_ack: Takes what comes on `ack`.
        on_desired: Takes what comes on `config/desired`.
        on_request: Takes what comes on `cmd/<name>/request`, and when it came.
    """

    def __init__(
        self,
        address: Address,
        clock: Clock,
        *,
        largest: int,
        on_ack: Callable[[Received], None],
        on_desired: Callable[[Received], None],
        on_request: Callable[[Received, Instant], None],
    ) -> None:
        self._clock = clock
        self._ack, self._desired = address.topic(Channel.ACK), address.topic(Channel.DESIRED)
        self._requested = address.topic(Channel.COMMAND, "")
        self._on_ack, self._on_desired, self._on_request = on_ack, on_desired, on_request
        # Apart, so that no flood of requests costs an ack.
        self._requests = Inbox(_MOST_REQUESTS, _MOST_REQUESTS * _LARGEST_REQUEST, _LARGEST_REQUEST)
        self._acks = Inbox(256, 4 * largest, largest)
        self._desires = Inbox(1, largest, largest)  # a newer one takes the place
        self._complained, self._complain_at = 0, 0.0

    @property
    def requests_dropped(self) -> int:
        """Requests that were given up for newer ones."""
        return self._requests.dropped

    def are_for(self, topic: str) -> bool:
        """Say whether something on a topic is the box's to take."""
        return topic in {self._ack, self._desired} or topic.startswith(self._requested)

    def put(self, received: Received) -> Deal | None:
        """Take a message; return what the link's thread has to call, if it was not told yet."""
        arrived = self._clock.now()
        if received.topic == self._ack:
            return self._take_acks if self._acks.put(received, arrived) else None
        if received.topic == self._desired:
            return self._take_desires if self._desires.put(received, arrived) else None
        return self._take_requests if self._requests.put(received, arrived) else None

    def complain(self, now: float) -> None:
        """Say that messages were given up, once in a while."""
        requests, acks = self._requests.dropped, self._acks.dropped
        if requests + acks > self._complained and now >= self._complain_at:
            self._complained, self._complain_at = requests + acks, now + _COMPLAIN_EVERY_S
            log.warning(
                "the broker sends more than can be looked at: the oldest are given up",
                extra={
                    "requests": requests,
                    "acks": acks,
                    "fix": "find who floods the box's topics, at the broker; acks come again",
                },
            )

    def _take_acks(self, _: float) -> None:
        for received, _arrived in self._acks.take():
            self._on_ack(received)

    def _take_desires(self, _: float) -> None:
        for received, _arrived in self._desires.take():
            self._on_desired(received)

    def _take_requests(self, _: float) -> None:
        for received, arrived in self._requests.take():
            try:
                self._on_request(received, arrived)
            except Exception:
                log.exception("a request failed; the next one is taken")
