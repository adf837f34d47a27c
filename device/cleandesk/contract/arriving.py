"""PUBLISH packets read: the one kind that comes by the thousand, and holds what strangers wrote.

MQTT 5.0, section 3.3. All other packets are left to `mqtt5`, which is no faster here, and panics
where a text is not UTF-8 (0.8.0).
"""

from dataclasses import dataclass, field
from struct import error as TooShortError  # noqa: N812 - what it means here
from struct import unpack_from

from cleandesk.contract.publication import Received

KIND = 3
_QOS, _RETAIN = 0b0110, 0b0001
_MORE = 0x80
_LENGTHS = 4  # bytes that a length has at most
_FORMAT, _EXPIRY, _CONTENT_TYPE, _RESPONSE, _CORRELATION = 0x01, 0x02, 0x03, 0x08, 0x09
_SUBSCRIPTION, _ALIAS, _USER = 0x0B, 0x23, 0x26


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A message that cannot be read.

    Attributes:
        mid: Its packet's id; 0 for QoS 0.
        why: What is wrong with it.
    """

    mid: int
    why: str


@dataclass(slots=True)
class _Properties:
    user: list[tuple[str, str]] = field(default_factory=list)
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry_s: int | None = None


def length(data: bytes, at: int) -> tuple[int, int] | None:
    """Return a length of one to four bytes and where it ends; None if it is not whole yet.

    Raises:
        ValueError: If it goes on beyond that.
    """
    value = 0
    for place in range(_LENGTHS):
        if at + place >= len(data):
            return None
        digit = data[at + place]
        value |= (digit & ~_MORE) << 7 * place
        if digit < _MORE:
            return value, at + place + 1
    raise ValueError("a length of more than four bytes")


def read(first: int, body: bytes, connection: int) -> Received | Spoiled:
    """Read a message.

    Args:
        first: The packet's first byte.
        body: What follows its length.
        connection: Number of the connection that it came by.

    Raises:
        ValueError: If it cannot even be answered.
    """
    qos, mid = (first & _QOS) >> 1, 0
    try:
        at = 2 + unpack_from("!H", body)[0]
        topic_end = at
        if qos:
            (mid,) = unpack_from("!H", body, at)
            at += 2
    except TooShortError:
        raise ValueError("a message that is cut off") from None
    try:
        topic, found = body[2:topic_end].decode(), None
        if body[at]:
            found, at = _properties(body, at)
        else:
            at += 1
    except (ValueError, IndexError, TooShortError) as error:
        return Spoiled(mid, str(error))
    if found is None:
        return Received(topic, body[at:], qos, bool(first & _RETAIN), (), mid, connection)
    return Received(
        topic,
        body[at:],
        qos,
        bool(first & _RETAIN),
        tuple(found.user),
        mid,
        connection,
        found.response_topic,
        found.correlation,
        found.expiry_s,
    )


def _properties(body: bytes, at: int) -> tuple[_Properties, int]:
    size, at = _varint(body, at)
    end, found = at + size, _Properties()
    while at < end:
        name, at = body[at], at + 1
        if name == _USER:
            key, at = _binary(body, at)
            value, at = _binary(body, at)
            found.user.append((key.decode(), value.decode()))
        elif name == _EXPIRY:
            found.expiry_s, at = unpack_from("!I", body, at)[0], at + 4
        elif name in {_RESPONSE, _CONTENT_TYPE}:
            text, at = _binary(body, at)
            found.response_topic = text.decode() if name == _RESPONSE else found.response_topic
        elif name == _CORRELATION:
            found.correlation, at = _binary(body, at)
        elif name == _SUBSCRIPTION:
            _, at = _varint(body, at)
        elif name in {_FORMAT, _ALIAS}:
            at += 1 if name == _FORMAT else 2
        else:
            raise ValueError(f"property {name:#04x} is none of a message's")
    if at != end or end > len(body):
        raise ValueError("properties of a wrong length")
    return found, end


def _binary(body: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + unpack_from("!H", body, at)[0]
    if end > len(body):
        raise ValueError("a property that is cut off")
    return body[at + 2 : end], end


def _varint(body: bytes, at: int) -> tuple[int, int]:
    found = length(body, at)
    if found is None:
        raise ValueError("a property that is cut off")
    return found
