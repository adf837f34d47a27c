"""How it stands with the broker and the subscriber, for those who look for what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

from cleandesk.contract.ending import End


@dataclass(frozen=True, slots=True)
class Standing:
    """What a running link knows.

    Attributes:
        connected: The broker has us, with every subscription.
        ended: How the last connection ended; None while there is one, or before the first.
        refused: What the broker refused in this connection: reason codes by topic.
        heard: Whether anybody is subscribed to what the box says of itself; None: not known yet.
        ack_age_s: Seconds since the subscriber's last `ack`; None: none since the start.
    """

    connected: bool
    ended: End | None
    refused: Mapping[str, int]
    heard: bool | None
    ack_age_s: float | None
