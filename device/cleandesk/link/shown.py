"""The retained topics about the worker: `active` and `privacy`, only what the ledger has."""

from collections.abc import Callable

from cleandesk.contract.mqtt import Publication
from cleandesk.contract.topics import Address, Channel
from cleandesk.link.chain import Entry
from cleandesk.link.outbox import Outbox
from cleandesk.link.pubacks import Pubacks
from cleandesk.link.retained import Retained, Wanted

ACTIVE_EXPIRY_S = 24 * 3600  # a box that never comes back leaves no violation open for ever
ACTIVE_REFRESH_S = 3600.0


class Shown:
    """Keeps what the broker holds about the worker as the outbox has it.

    A retained message that was on its way when a connection or the process ended may have arrived
    or not. It is sent again before newer ones, as QoS 1 asks of a client, so that the ledger's word
    on what was sent is the truth.

    Args:
        outbox: Knows what shall be held.
        retained: Publishes what differs.
        pubacks: Told of each publication.
        address: The box's.
    """

    def __init__(
        self, outbox: Outbox, retained: Retained, pubacks: Pubacks, address: Address
    ) -> None:
        self._outbox, self._retained, self._pubacks = outbox, retained, pubacks
        self._active = address.topic(Channel.ACTIVE, "")
        self._privacy = address.topic(Channel.PRIVACY)
        self._again: list[Entry] = []

    def connected(self) -> None:
        """Begin a connection."""
        self._retained.connected()
        self._again = self._outbox.unconfirmed()

    def publish(self, publish: Callable[[Publication], int], now: float) -> None:
        """Publish what is due of all retained topics.

        Args:
            publish: Hands a message to the connection and returns its id.
            now: The present moment, monotonic.

        Raises:
            NotConnectedError: If there is no connection; all of it is due again after the next.
        """
        topics = self._want()
        while self._again:
            one = self._again.pop(0)
            if one.topic == self._privacy or one.topic in topics:
                expiry = ACTIVE_EXPIRY_S if one.payload and one.topic in topics else None
                again = Publication(one.topic, one.payload, retain=True, expiry_s=expiry)
                self._pubacks.expect_topic(publish(again), again, one.number)
        due = list(self._retained.due(now))
        entries = [self._retained.entry_of(one.topic) for one in due]
        noted = self._outbox.note_trying([entry for entry in entries if entry])
        for publication, entry in zip(due, entries, strict=True):
            if noted or not entry:
                self._pubacks.expect_topic(publish(publication), publication, entry)
            else:
                self._retained.refused(publication, now)  # by our own disk: later

    def _want(self) -> frozenset[str]:
        """Have the broker hold what is on file, and nothing else; return the open topics."""
        privacy = self._outbox.privacy()
        if privacy is not None:
            self._retained.want(self._privacy, Wanted(privacy.payload, entry=privacy.number))
        topics = {
            self._active + violation_id: active
            for violation_id, active in self._outbox.active().items()
        }
        for topic in self._retained.topics():
            if topic.startswith(self._active) and topic not in topics:
                self._retained.forget(topic)
        for topic, active in topics.items():
            held = Wanted(active.payload, ACTIVE_EXPIRY_S, ACTIVE_REFRESH_S, entry=active.entry)
            cleared = Wanted(b"", entry=active.entry)
            self._retained.want(topic, held if active.payload else cleared)
        return frozenset(topics)
