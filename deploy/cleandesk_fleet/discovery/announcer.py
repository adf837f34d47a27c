"""Which boxes to announce, which announcements to clear: messages in, messages out. Pure."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterator

from pydantic import ValidationError

from cleandesk.contract.invalid import why
from cleandesk.contract.messages import Status
from cleandesk.contract.publication import Publication, Received
from cleandesk.contract.topics import Address, Channel, Topic, TopicError, parse
from cleandesk_fleet.discovery import topics
from cleandesk_fleet.discovery.entities import OFFLINE, ONLINE, announcement, is_ours
from cleandesk_fleet.discovery.settings import DiscoverySettings

log = logging.getLogger(__name__)

#: So many open violations of a box are told apart; a box that retains more says no more by it.
_MOST_OPEN = 1000


class Announcer:
    """Follows what the broker has; says what to publish. In one thread.

    Of what lies below `homeassistant/` it writes over, and clears, only what this publisher made:
    an announcement that names another origin, or another publisher, is left alone.

    Args:
        settings: Who is announced.
        clearing: Announce nobody, and clear what is ours.
    """

    def __init__(self, settings: DiscoverySettings, *, clearing: bool = False) -> None:
        self._settings, self._clearing = settings, clearing
        self._own = topics.state(settings.client_id)
        self._reset()

    def _reset(self) -> None:
        self.whole = False
        self._boxes: dict[Address, Status] = {}
        self._open: defaultdict[Address, set[str]] = defaultdict(set)
        self._found: dict[Address, bytes] = {}

    def begin(self) -> Publication:
        """Begin anew, with a new connection; returns what must be published first.

        It comes back after all that the broker has retained, which shows that we have heard it.
        """
        self._reset()
        return Publication(self._own, ONLINE.encode(), retain=True)

    def end(self) -> Publication:
        """Return what must be published last, or by the broker when we vanish."""
        return Publication(self._own, b"" if self._clearing else OFFLINE.encode(), retain=True)

    def take(self, received: Received) -> list[Publication]:
        """Take a message; returns what to publish."""
        if received.topic == self._own:
            if self.whole or received.retain or received.payload != ONLINE.encode():
                return []
            self.whole = True
            return list(self._all())
        address = topics.address_of(received.topic)
        if address is not None:
            self._find(address, received.payload)
            return []
        try:
            return list(self._follow(parse(received.topic), received.payload))
        except TopicError:
            return []  # somebody else's device

    def _find(self, address: Address, payload: bytes) -> None:
        if payload:
            self._found[address] = payload
        else:
            self._found.pop(address, None)

    def _follow(self, topic: Topic, payload: bytes) -> Iterator[Publication]:
        address = topic.address
        if topic.channel is Channel.STATUS:
            if not payload:
                self._boxes.pop(address, None)
                self._open.pop(address, None)
                if self.whole:
                    yield from self._clear(address)
            elif self._knows(address, payload) and self.whole:
                yield from self._announce(address)
        elif topic.channel is Channel.ACTIVE and topic.violation_id is not None:
            open_now = self._open[address]
            before = len(open_now)
            if not payload:
                open_now.discard(topic.violation_id)
            elif before < _MOST_OPEN:
                open_now.add(topic.violation_id)
            if self.whole and len(open_now) != before and self._announced(address):
                yield self._count(address)

    def _knows(self, address: Address, payload: bytes) -> bool:
        """Take what a box says of itself; False if it is nonsense."""
        try:
            self._boxes[address] = Status.model_validate_json(payload)
        except ValidationError as error:
            log.warning("a status is ignored", extra={"box": str(address), "why": why(error)})
            return False
        return True

    def _all(self) -> Iterator[Publication]:
        for address in [*self._boxes] if not self._clearing else []:
            yield from self._announce(address)
        for address in [*self._found]:
            if self._clearing or address not in self._boxes:
                yield from self._clear(address)

    def _announced(self, address: Address) -> bool:
        return not self._clearing and address in self._boxes and not self._is_theirs(address)

    def _announce(self, address: Address) -> Iterator[Publication]:
        if self._clearing:
            return
        if self._is_theirs(address):
            log.error(
                "a box is not announced: somebody else does so under its name",
                extra={"box": str(address), "fix": f"clear {topics.config(address)}"},
            )
            return
        made = announcement(address, self._boxes[address], self._settings.client_id)
        yield self._count(address)
        if made != self._found.get(address):
            self._found[address] = made
            log.info("a box is announced", extra={"box": str(address)})
            yield Publication(topics.config(address), made, retain=True)

    def _clear(self, address: Address) -> Iterator[Publication]:
        """Clear the count first: a cut between both leaves what is known to be ours."""
        if address not in self._found or self._is_theirs(address):
            return
        del self._found[address]
        log.info("a box is announced no more", extra={"box": str(address)})
        for topic in (topics.state(topics.device_id(address)), topics.config(address)):
            yield Publication(topic, b"", retain=True)

    def _is_theirs(self, address: Address) -> bool:
        found = self._found.get(address)
        return found is not None and not is_ours(found, self._settings.client_id)

    def _count(self, address: Address) -> Publication:
        payload = json.dumps({"open": len(self._open[address])}).encode()
        return Publication(topics.state(topics.device_id(address)), payload, retain=True)
