"""What an MQTT session sends and receives, and how it fails."""

from dataclasses import dataclass

UserProperties = tuple[tuple[str, str], ...]

#: User property of an event that was committed before this connection, or is sent once more.
REPLAYED = ("replayed", "1")
NOT_CONNECTED = "not connected to the broker: send it after the next connect"


class SessionError(Exception):
    """Something about the connection to the broker; the text names place, reason and fix."""


class NotConnectedError(SessionError):
    """A message was to be sent, and there is no connection. Send it after the next `on_connect`."""


class TlsError(SessionError):
    """The files of the TLS connection cannot be used."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message to send.

    Attributes:
        retain: The broker keeps it for later subscribers; an empty payload clears it there.
        expiry_s: The broker forgets it after so long; None keeps it.
        user: MQTT 5 user properties, in order.
        response_topic: Where the answer to a request shall go.
        correlation: Says which request an answer is for.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    expiry_s: int | None = None
    user: UserProperties = ()
    response_topic: str | None = None
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """One message that arrived.

    Attributes:
        retain: It was kept by the broker from before we subscribed.
        user: MQTT 5 user properties, in order.
        mid: The packet's id; 0 for QoS 0.
        connection: Number of the connection it came by: an acknowledgement is worth nothing on
            another one, where the broker sends the message again.
        response_topic: Where the sender of a request wants the answer.
        correlation: What the answer shall carry.
        expiry_s: What was left of the message's time when the broker passed it on.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    user: UserProperties = ()
    mid: int = 0
    connection: int = 0
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry_s: int | None = None
