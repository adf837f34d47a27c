"""What the broker's confirmations mean: for the ledger, for what is retained, for what waits."""

import logging
from collections.abc import Callable

from cleandesk.contract import reasons
from cleandesk.contract.mqtt import Publication
from cleandesk.link.outbox import Outbox
from cleandesk.link.retained import Retained
from cleandesk.link.senders import Shipment

log = logging.getLogger(__name__)


class Pubacks:
    """Remembers what was published in this connection, until the broker has confirmed it.

    Attributes:
        heard: Whether anybody was subscribed to what was last published about the box itself; None:
            nothing was yet.
    """

    def __init__(self, outbox: Outbox, retained: Retained) -> None:
        self._outbox, self._retained = outbox, retained
        self._shipments: dict[int, Shipment] = {}
        self._topics: dict[int, tuple[Publication, int]] = {}
        self._alarms: set[tuple[str, int]] = set()
        self._probes: dict[int, Callable[[int], None]] = {}
        self.heard: bool | None = None

    @property
    def refused(self) -> dict[str, int]:
        """What the broker refused in this connection: reason codes by topic."""
        return {topic: code for topic, code in set(self._alarms) if code >= reasons.FAILURE}

    def connected(self) -> None:
        """Begin a connection: what was not confirmed in the last one never will be."""
        self._shipments.clear()
        self._topics.clear()
        self._alarms.clear()
        self._probes.clear()
        self.heard = None

    def expect_shipment(self, mid: int, shipment: Shipment) -> None:
        """Note that a message which waits was handed to the connection."""
        self._shipments[mid] = shipment

    def expect_topic(self, mid: int, publication: Publication, entry: int) -> None:
        """Note that a retained topic was; `entry` is its number in the ledger, 0 for none."""
        self._topics[mid] = (publication, entry)

    def expect_probe(self, mid: int, told: Callable[[int], None]) -> None:
        """Note that something was published only to hear the reason code."""
        self._probes[mid] = told

    def arrived(self, mid: int, code: int, now: float) -> None:
        """Take a confirmation, or a refusal."""
        if (shipment := self._shipments.pop(mid, None)) is not None:
            self._of_shipment(shipment, code, now)
        elif (topic := self._topics.pop(mid, None)) is not None:
            self._of_topic(*topic, code, now)
        elif (told := self._probes.pop(mid, None)) is not None:
            told(code)

    def _of_shipment(self, shipment: Shipment, code: int, now: float) -> None:
        pending, sender = shipment.pending, shipment.sender
        if code >= reasons.FAILURE:
            self._alarm(shipment.publication.topic, code)
            sender.refused(pending.event_id, now)
            return
        self._outbox.note_sent(pending.entry)
        if not shipment.answered:
            self._outbox.settle_paper(pending)
            sender.answered([pending.event_id], now)
        elif code == reasons.NO_MATCHING_SUBSCRIBERS:
            self._alarm(shipment.publication.topic, code)
            sender.unheard(pending.event_id, now)

    def _of_topic(self, publication: Publication, entry: int, code: int, now: float) -> None:
        if code >= reasons.FAILURE:
            self._alarm(publication.topic, code)
            self._retained.refused(publication, now)
            if entry:
                self._outbox.note_refused(entry)
            return
        if entry:
            self._outbox.note_sent(entry)
        else:
            self.heard = code != reasons.NO_MATCHING_SUBSCRIBERS
        if self._retained.confirmed(publication) and not publication.payload:
            self._outbox.note_cleared(publication.topic.rsplit("/", 1)[-1])

    def _alarm(self, topic: str, code: int) -> None:
        """Say, once a connection, what the broker does not do, and the fix."""
        if (topic, code) not in self._alarms:
            self._alarms.add((topic, code))
            level = logging.ERROR if code >= reasons.FAILURE else logging.WARNING
            extra = {"topic": topic, "code": code, "fix": reasons.fix(code)}
            log.log(level, "the broker took a message and did not pass it on", extra=extra)
