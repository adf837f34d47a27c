"""What a connection to a broker is to be like, and whom it tells."""

from collections.abc import Callable
from dataclasses import dataclass

from cleandesk.contract.publication import Publication, Received


@dataclass(frozen=True, slots=True)
class Profile:
    """What stays the same from one connection of a session to the next."""

    client_id: str
    will: Publication | None
    session_expiry_s: int
    subscriptions: tuple[str, ...]
    manual_ack: bool
    receive_maximum: int
    maximum_packet: int | None


@dataclass(frozen=True, slots=True)
class Handlers:
    """Whom a connection tells; called in the network thread. They must not raise, nor block."""

    message: Callable[[Received], None]
    ready: Callable[[], None]
    puback: Callable[[int, int], None]
    turned: Callable[[], None] = lambda: None
