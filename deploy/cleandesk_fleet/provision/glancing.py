"""What the broker retains of boxes: a short look, as the administrator."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.health import Health
from cleandesk.contract.messages import Status
from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.provision.door import PATIENCE_S
from cleandesk_fleet.provision.errors import BrokerError

M = TypeVar("M", bound=BaseModel)

_LOOKED_AT = (Channel.STATUS, Channel.HEALTH)
#: Two messages each: so many the broker sends before it waits for an answer to any.
_AT_ONCE = 40


@dataclass(frozen=True, slots=True)
class Known:
    """What the broker retained of one box.

    Attributes:
        retained: Payloads by topic.
    """

    address: Address
    retained: Mapping[str, bytes]

    @property
    def status(self) -> Status | None:
        """What it retained of `status`; None if it is empty, or nonsense."""
        return self._read(Channel.STATUS, Status)

    @property
    def health(self) -> Health | None:
        """What it retained of `health`; None if it is empty, or nonsense."""
        return self._read(Channel.HEALTH, Health)

    def _read(self, channel: Channel, model: type[M]) -> M | None:
        try:
            return model.model_validate_json(self.retained[self.address.topic(channel)])
        except (KeyError, ValidationError):
            return None


def glance(admin: BrokerSettings, addresses: Sequence[Address]) -> dict[Address, Known]:
    """Return what the broker retains of boxes.

    The connections are short: who stayed subscribed would look to boxes like their subscriber. And
    each topic is named, as not every broker sends what it retains for a filter of many.

    Args:
        admin: How the administrator reaches the broker.
        addresses: The boxes.

    Raises:
        BrokerError: If the broker does not take the administrator, or does not answer.
    """
    found: dict[str, bytes] = {}
    for begin in range(0, len(addresses), _AT_ONCE):
        found |= _Glance(admin, addresses[begin : begin + _AT_ONCE]).take()
    return {address: Known(address, found) for address in addresses}


class _Glance:
    """One short connection."""

    def __init__(self, admin: BrokerSettings, addresses: Sequence[Address]) -> None:
        self._admin, self._addresses = admin, addresses
        self._found: dict[str, bytes] = {}
        self._ready, self._answered = threading.Event(), threading.Event()
        self._session = Session(
            admin,
            f"looking at {addresses[0]} {time.monotonic_ns()}",
            subscriptions=[one.topic(channel) for one in addresses for channel in _LOOKED_AT],
            on_message=self._on_message,
            on_connect=self._ready.set,
            on_puback=lambda *_: self._answered.set(),
        )

    def take(self) -> Mapping[str, bytes]:
        """Return payloads by topic.

        Raises:
            BrokerError: If the broker does not take the administrator, or does not answer.
        """
        self._session.start()
        try:
            there = self._ready.wait(PATIENCE_S)
            if there:
                # Nobody here may write that: it is refused, and what is retained is sent before.
                self._session.publish(Publication(self._addresses[0].topic(Channel.ACK), b""))
                there = self._answered.wait(PATIENCE_S)
        except NotConnectedError:
            there = False
        finally:
            self._session.stop()
        if not there:
            raise away(self._admin)
        return self._found

    def _on_message(self, received: Received) -> None:
        if received.retain:
            self._found[received.topic] = received.payload


def away(admin: BrokerSettings) -> BrokerError:
    """Return what is said of a broker that does not take the administrator."""
    return BrokerError(
        f"{admin.host}:{admin.port} does not take the administrator: is the broker up, and is the "
        "administrator's certificate valid? Then do it again"
    )
