"""Which event is sent when: in order, a bounded number at once, again until it is answered.

Pure: it is told the time and what happened, and says what to send.
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cleandesk.link.records import Pending

WINDOW = 100  # unanswered events at once
_PROBE_MAX = 4
_DOUBLINGS = 16


@dataclass(slots=True)
class _Flight:
    event: Pending
    sent_at: float
    due: float
    tries: int = 1
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Sending:
    """One event to send now.

    Attributes:
        replayed: It was committed before this connection, or is sent once more.
    """

    event: Pending
    replayed: bool


class Sender:
    """The events under way to a subscriber.

    While nobody answers, only the oldest are tried, more and more rarely: a subscriber that is
    away for a night must not come back to a hundred thousand copies. The first answer opens the
    window again.

    Args:
        fetch: Returns committed events after an id, oldest first: `Outbox.pending`.
        ack_timeout_s: No answer for so long: send again.
        retry_max_s: Longest wait between tries, unless the time-out is longer.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], list[Pending]],
        *,
        ack_timeout_s: float,
        retry_max_s: float,
    ) -> None:
        self._fetch = fetch
        self._timeout_s, self._longest_s = ack_timeout_s, max(ack_timeout_s, retry_max_s)
        self._flights: dict[str, _Flight] = {}
        self._window = WINDOW
        self._cursor = 0  # the newest event that was sent in this connection
        self._replayed_to = 0  # up to here everything is a replay
        self._answered_at = -math.inf

    def connected(self, last_id: int) -> None:
        """Begin a connection: all that waits is sent again, from the oldest on.

        Args:
            last_id: The newest event committed so far.
        """
        self._flights.clear()
        self._window, self._cursor = WINDOW, 0
        self._replayed_to = max(self._replayed_to, last_id)
        self._answered_at = -math.inf

    def due(self, now: float) -> Iterator[Sending]:
        """Yield what is to be sent now, oldest first."""
        late = [flight for flight in self._flights.values() if flight.due <= now]
        if any(not flight.refused and self._answered_at < flight.sent_at for flight in late):
            self._narrow()
        for flight in list(self._flights.values()):
            if flight.due <= now:
                flight.tries += 1
                flight.sent_at, flight.due = now, now + self._wait_s(flight.tries)
                flight.refused = False
                yield Sending(flight.event, replayed=True)
        room = self._window - len(self._flights)
        for event in self._fetch(self._cursor, room) if room > 0 else ():
            replayed = event.id <= self._replayed_to
            self._cursor = event.id
            self._replayed_to = max(self._replayed_to, event.id)
            self._flights[event.event_id] = _Flight(event, now, now + self._timeout_s)
            yield Sending(event, replayed)

    def answered(self, event_ids: Iterable[str], now: float) -> None:
        """Take note of what the subscriber has answered for."""
        for event_id in event_ids:
            self._flights.pop(event_id, None)
            self._answered_at, self._window = now, WINDOW

    def unheard(self, event_id: str, now: float) -> None:
        """Take note that nobody was subscribed when an event came to the broker."""
        if event_id in self._flights:
            self._narrow()
            for flight in self._flights.values():
                flight.due = now + self._wait_s(flight.tries)

    def refused(self, event_id: str, now: float) -> None:
        """Take note that the broker refused an event: it alone is tried again later."""
        flight = self._flights.get(event_id)
        if flight is not None:
            flight.refused, flight.due = True, now + self._wait_s(flight.tries)

    def next_due(self) -> float | None:
        """Return when something must be sent again, if nothing else happens."""
        return min((flight.due for flight in self._flights.values()), default=None)

    @property
    def flowing(self) -> bool:
        """Whether the subscriber is believed to answer."""
        return self._window == WINDOW

    def _narrow(self) -> None:
        """Keep only the oldest under way. Later ones follow them, in order, once one is answered.

        The number grows a little with time, so that one event that is never answered does not
        hold up all others.
        """
        oldest = next(iter(self._flights.values()))
        self._window = min(_PROBE_MAX, 1 + oldest.tries // 4)
        keep = list(self._flights.items())[: self._window]
        self._flights = dict(keep)
        self._cursor = keep[-1][1].event.id

    def _wait_s(self, tries: int) -> float:
        wait = min(self._longest_s, self._timeout_s * 2.0 ** min(tries - 1, _DOUBLINGS))
        return wait * random.uniform(0.75, 1)  # noqa: S311 - spreads load, guards nothing
