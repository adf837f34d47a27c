"""What the broker retains of a box: cleared when the box is gone, and shown to be."""

import logging
import threading
from collections.abc import Sequence

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from cleandesk.contract.topics import ROOT, Address, Channel
from cleandesk_fleet.provision.door import PATIENCE_S
from cleandesk_fleet.provision.errors import BrokerError

log = logging.getLogger(__name__)

#: The broker hands out so many at once; each round clears what came.
_ROUNDS = 50


def clear(admin: BrokerSettings, address: Address) -> Sequence[str]:
    """Clear what the broker retains of a box; returns the topics that were cleared.

    It is proven by asking again: the last round finds nothing.

    Raises:
        BrokerError: If the broker cannot be reached, or something stays.
    """
    cleared: list[str] = []
    for _ in range(_ROUNDS):
        found = _Round(admin, address).go()
        if not found:
            return sorted(set(cleared))
        cleared += found
    raise BrokerError(f"the broker goes on retaining {cleared[-1]}: is {address} still connected?")


class _Round:
    """One connection: what is retained comes, and is cleared."""

    def __init__(self, admin: BrokerSettings, address: Address) -> None:
        self._address = address
        self._found: list[str] = []
        self._ready, self._answered = threading.Event(), threading.Event()
        self._answers: set[int] = set()
        self._awaited: set[int] | None = None
        self._session = Session(
            admin,
            f"leftovers of {address}",
            subscriptions=[f"{ROOT}/{address}/#"],
            on_message=self._on_message,
            on_connect=self._ready.set,
            on_puback=self._on_puback,
        )

    def go(self) -> list[str]:
        """Return what was found and cleared.

        Raises:
            BrokerError: If the broker does not answer.
        """
        self._session.start()
        try:
            self._await(self._ready)
            # What is retained is sent before the answer to anything that comes after.
            self._publish([self._address.topic(Channel.STATUS)])
            found = list(self._found)
            self._publish(found)
        except NotConnectedError as error:
            raise BrokerError(f"{self._address}: the connection was lost: do it again") from error
        finally:
            self._session.stop()
        return found

    def _publish(self, topics: Sequence[str]) -> None:
        self._awaited = None
        self._answered.clear()
        self._awaited = {self._session.publish(Publication(t, b"", retain=True)) for t in topics}
        self._look()
        self._await(self._answered)

    def _await(self, event: threading.Event) -> None:
        if not event.wait(PATIENCE_S):
            raise BrokerError(
                f"{self._address}: the broker does not answer the administrator: is it up?"
            )

    def _on_message(self, received: Received) -> None:
        if received.retain and received.payload:
            self._found.append(received.topic)

    def _on_puback(self, mid: int, _code: int) -> None:
        self._answers.add(mid)
        self._look()

    def _look(self) -> None:
        if self._awaited is not None and self._awaited <= self._answers:
            self._answered.set()
