"""MQTT 5 packets as paho has them, from and to messages of ours."""

import contextlib
import logging
import struct
from typing import Any

from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from cleandesk.contract.publication import Publication, Received

log = logging.getLogger(__name__)

#: Where a message's first byte has its QoS.
_QOS = 0b110


def received(message: MQTTMessage, connection: int) -> Received | None:
    """Return what came; None, and a line in the log, if its topic is not UTF-8.

    Args:
        message: As paho has it.
        connection: Number of the connection that it came by.
    """
    with contextlib.suppress(UnicodeDecodeError):
        return Received(
            topic=message.topic,
            payload=bytes(message.payload),
            qos=message.qos,
            retain=message.retain,
            user=tuple(getattr(message.properties, "UserProperty", ())),
            mid=message.mid,
            connection=connection,
            response_topic=getattr(message.properties, "ResponseTopic", None),
            correlation=getattr(message.properties, "CorrelationData", None),
            expiry_s=getattr(message.properties, "MessageExpiryInterval", None),
        )
    log.error("message dropped: its topic is not UTF-8", extra={"bytes": len(message.payload)})
    return None


def properties_of(publication: Publication) -> Any:
    """Return a message's properties; None where it has none, since paho takes long to make them."""
    if publication == Publication(
        publication.topic, publication.payload, publication.qos, publication.retain
    ):
        return None
    made = properties(PacketTypes.PUBLISH)
    if publication.expiry_s is not None:
        made.MessageExpiryInterval = publication.expiry_s
    if publication.user:
        made.UserProperty = list(publication.user)
    if publication.response_topic is not None:
        made.ResponseTopic = publication.response_topic
    if publication.correlation is not None:
        made.CorrelationData = publication.correlation
    return made


def unanswered(publication: Publication) -> bytes:
    """Return the whole packet of a message at QoS 0, which the broker does not answer."""
    topic, made = publication.topic.encode(), properties_of(publication)
    body = struct.pack("!H", len(topic)) + topic
    body += b"\0" if made is None else made.pack()
    body += publication.payload
    size: bytes = VariableByteIntegers.encode(len(body))  # type: ignore[no-untyped-call]
    return bytes((PacketTypes.PUBLISH << 4 | publication.retain,)) + size + body


def without_properties(header: int, packet: bytes | bytearray) -> bytearray:
    """Return a message without its properties.

    Args:
        header: The packet's first byte.
        packet: What follows its length: topic, id at QoS 1 and 2, properties, payload.
    """
    at = 2 + int.from_bytes(packet[:2], "big") + (2 if header & _QOS else 0)
    size, taken = VariableByteIntegers.decode(packet[at:])  # type: ignore[no-untyped-call]
    return bytearray(packet[:at] + b"\0" + packet[at + taken + size :])


def puback(mid: int) -> bytes:
    """Return the whole packet that says that a message was taken."""
    return struct.pack("!BBH", PacketTypes.PUBACK << 4, 2, mid)


def properties(packet: int) -> Any:
    """Return no properties yet, of a kind of packet."""
    return Properties(packet)  # type: ignore[no-untyped-call]
