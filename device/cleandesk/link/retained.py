"""The retained topics of a box: what the broker should hold, and what it is known to hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from cleandesk.contract.publication import Publication


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a topic should hold.

    Attributes:
        payload: Empty clears the topic.
        expiry_s: The broker forgets it after so long.
        refresh_s: Publish it anew after so long.
        entry: Its number in the ledger, 0 for what is not about the worker.
    """

    payload: bytes
    expiry_s: int | None = None
    refresh_s: float | None = None
    entry: int = 0


@dataclass(frozen=True, slots=True)
class _Sent:
    payload: bytes
    at: float


class Retained:
    """Publishes what changed, and everything after each connect."""

    def __init__(self, retry_s: float) -> None:
        self._retry_s = retry_s
        self._wanted: dict[str, Wanted] = {}
        self._sent: dict[str, _Sent] = {}
        self._not_before: dict[str, float] = {}

    def want(self, topic: str, wanted: Wanted) -> None:
        """Set what a topic should hold; its place in the order stays the first one."""
        self._wanted[topic] = wanted

    def forget(self, topic: str) -> None:
        """Stop to care for a topic."""
        for kept in (self._wanted, self._sent, self._not_before):
            kept.pop(topic, None)

    def topics(self) -> list[str]:
        """Return the topics that are cared for, in the order in which they came."""
        return list(self._wanted)

    def entry_of(self, topic: str) -> int:
        """Return the number in the ledger of what a topic should hold; 0 for none."""
        return self._wanted[topic].entry

    def connected(self) -> None:
        """Begin a connection: nothing is known of the broker."""
        self._sent.clear()
        self._not_before.clear()

    def due(self, now: float) -> Iterator[Publication]:
        """Yield what is to be published now."""
        for topic, wanted in list(self._wanted.items()):
            if self._not_before.get(topic, now) > now or not self._differs(topic, wanted, now):
                continue
            self._sent[topic] = _Sent(wanted.payload, now)
            yield Publication(topic, wanted.payload, retain=True, expiry_s=wanted.expiry_s)

    def confirmed(self, publication: Publication) -> bool:
        """Take note of a PUBACK; say whether the topic holds what it should."""
        sent, wanted = self._sent.get(publication.topic), self._wanted.get(publication.topic)
        if sent is None or wanted is None or sent.payload != publication.payload:
            return False
        return sent.payload == wanted.payload

    def refused(self, publication: Publication, now: float) -> None:
        """Take note that the broker refused a publication: it is tried again later."""
        self._sent.pop(publication.topic, None)
        self._not_before[publication.topic] = now + self._retry_s

    def _differs(self, topic: str, wanted: Wanted, now: float) -> bool:
        sent = self._sent.get(topic)
        if sent is None or sent.payload != wanted.payload:
            return True
        return wanted.refresh_s is not None and now - sent.at >= wanted.refresh_s
