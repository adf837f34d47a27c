"""MQTT 5 packets as bytes, from and to messages of ours; the codec is `mqtt5`."""

from collections.abc import Iterable

import mqtt5
from mqtt5 import Packet, QoS

from cleandesk.contract import arriving
from cleandesk.contract.arriving import Spoiled
from cleandesk.contract.publication import Publication, Received

__all__ = [
    "DISCONNECT",
    "PING",
    "Arrived",
    "connect",
    "pubacks",
    "publish",
    "reason",
    "split",
    "subscribe",
    "unsubscribe",
]

Arrived = Received | Spoiled | Packet
DISCONNECT = mqtt5.DisconnectPacket().write()
PING = mqtt5.PingReqPacket().write()


def split(data: bytes, connection: int) -> tuple[list[Arrived], bytes]:
    """Return what came whole, and the bytes of what is not whole yet.

    Args:
        data: From the beginning of a packet.
        connection: Number of the connection that it came by.

    Raises:
        ValueError: If these bytes are no MQTT 5.
    """
    found: list[Arrived] = []
    at = 0
    while (sized := arriving.length(data, at + 1)) is not None:
        begin = sized[1]
        end = begin + sized[0]
        if end > len(data):
            break
        first = data[at]
        if first >> 4 == arriving.KIND:
            found.append(arriving.read(first, data[begin:end], connection))
        else:
            found.append(_read(memoryview(data)[at:end]))
        at = end
    return found, data[at:]


def connect(
    client_id: str,
    *,
    will: Publication | None,
    keepalive_s: int,
    session_expiry_s: int,
    receive_maximum: int,
    maximum_packet: int | None,
) -> bytes:
    """Return a CONNECT."""
    last = None
    if will is not None:
        last = mqtt5.Will(will.topic, payload=will.payload, qos=_qos(will.qos), retain=will.retain)
    return mqtt5.ConnectPacket(
        client_id,
        clean_start=session_expiry_s == 0,
        will=last,
        keep_alive=keepalive_s,
        session_expiry_interval=session_expiry_s,
        receive_max=receive_maximum,
        max_packet_size=maximum_packet,
    ).write()


def subscribe(mid: int, filters: tuple[str, ...]) -> bytes:
    """Return a SUBSCRIBE, each filter at QoS 1; `retain` is for what was kept from before."""
    wanted = [
        mqtt5.TopicFilter(one, max_qos=QoS.AT_LEAST_ONCE, retain_as_published=False)
        for one in filters
    ]
    return mqtt5.SubscribePacket(mid, wanted).write()


def unsubscribe(mid: int, topic_filter: str) -> bytes:
    """Return an UNSUBSCRIBE."""
    return mqtt5.UnsubscribePacket(mid, [topic_filter]).write()


def publish(publication: Publication, mid: int) -> bytes:
    """Return a PUBLISH."""
    return mqtt5.PublishPacket(
        publication.topic,
        publication.payload,
        qos=_qos(publication.qos),
        retain=publication.retain,
        packet_id=mid if publication.qos else None,
        message_expiry_interval=publication.expiry_s,
        response_topic=publication.response_topic,
        correlation_data=publication.correlation,
        user_properties=list(publication.user) or None,
    ).write()


def pubacks(mids: Iterable[int]) -> bytes:
    """Return a PUBACK for each message."""
    return b"".join([mqtt5.PubAckPacket(mid).write() for mid in mids])


def reason(code: object) -> str:
    """Return a reason code's name as people write it."""
    return repr(code).partition(".")[2].partition(":")[0].replace("_", " ").capitalize()


def _read(packet: memoryview) -> Packet:
    try:
        return mqtt5.read(packet)[0]
    except IndexError as error:
        raise ValueError(str(error)) from error
    except Exception:
        raise
    except BaseException as panic:
        # What the codec (0.8.0) raises where a text is not UTF-8 is no `Exception`.
        if type(panic).__module__ != "pyo3_runtime":
            raise
        raise ValueError("a text in it is not UTF-8") from panic


def _qos(level: int) -> QoS:
    return QoS.AT_LEAST_ONCE if level else QoS.AT_MOST_ONCE
