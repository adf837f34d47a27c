"""What is sent until it is settled: events, appeals, stills, and papers that nobody answers for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.mqtt import REPLAYED, Publication
from cleandesk.contract.topics import Address, Channel
from cleandesk.link.outbox import Outbox
from cleandesk.link.records import Pending
from cleandesk.link.sender import Sender


@dataclass(frozen=True, slots=True)
class Shipment:
    """One message on its way.

    Attributes:
        publication: What is sent.
        pending: What it carries.
        sender: Whose it is.
        answered: Whether a subscriber answers for it; else the broker's PUBACK settles it.
    """

    publication: Publication
    pending: Pending
    sender: Sender
    answered: bool


class Senders:
    """One sender for each way to be settled, so that none waits for another's answers."""

    def __init__(self, outbox: Outbox, settings: BrokerSettings, address: Address) -> None:
        self._outbox = outbox
        self._events_topic = address.topic(Channel.VIOLATION)
        patience = {"ack_timeout_s": settings.ack_timeout_s, "retry_max_s": settings.retry_max_s}
        self._events = Sender(
            lambda after, limit: outbox.pending(after=after, limit=limit), **patience
        )
        self._appeals = Sender(
            lambda after, limit: outbox.papers(answered=True, after=after, limit=limit), **patience
        )
        self._papers = Sender(
            lambda after, limit: outbox.papers(answered=False, after=after, limit=limit),
            **patience,
        )
        self._stills = Sender(
            lambda after, limit: outbox.stills(after=after, limit=limit), **patience
        )
        # In this order: an appeal that was said meanwhile goes before its still.
        self._all = (self._events, self._appeals, self._papers, self._stills)

    def connected(self) -> None:
        """Begin a connection: all that waits is sent again."""
        self._events.connected(self._outbox.last_id)
        self._appeals.connected(self._outbox.last_paper)
        self._papers.connected(self._outbox.last_paper)
        self._stills.connected(self._outbox.last_paper)

    def due(self, now: float) -> Iterator[Shipment]:
        """Yield what is to be sent now."""
        for sender in self._all:
            for sending in sender.due(now):
                one = sending.event
                user = one.user + ((REPLAYED,) if sending.replayed else ())
                topic = one.topic or self._events_topic
                yield Shipment(
                    Publication(topic, one.payload, user=user, correlation=one.correlation),
                    one,
                    sender,
                    answered=sender is not self._papers,
                )

    def answered(self, ids: Iterable[str], now: float) -> None:
        """Take note of what the subscriber has answered for."""
        known = list(ids)
        self._events.answered(known, now)
        self._appeals.answered(known, now)
        self._stills.answered(known, now)

    def next_due(self) -> float | None:
        """Return when something must be sent again, if nothing else happens."""
        return min((due for one in self._all if (due := one.next_due()) is not None), default=None)

    @property
    def flowing(self) -> bool:
        """Whether the subscriber is believed to answer."""
        return self._events.flowing
