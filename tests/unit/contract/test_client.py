"""Many packets that come at once: taken in by turns, and what is to be sent has its own."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import VariableByteIntegers

from cleandesk.contract import packets
from cleandesk.contract.client import LeanClient

_CONNACK = bytes([0x20, 3, 0, 0, 0])
#: At QoS 0, of a length that no bufferful ends with: topic "t", no properties, five bytes.
_PUBLISH = bytes([0x30, 9, 0, 1]) + b"t" + bytes(6)
_WORD = b"\x30\x04\x00\x01w\x00"


class _Heard:
    """A client, the broker's end of its connection, and how many messages it has heard."""

    def __init__(self, client: LeanClient, broker: socket.socket) -> None:
        self.client, self.broker, self.count = client, broker, 0
        client.on_message = self._count

    def _count(self, *_: object) -> None:
        self.count += 1

    def loop(self, timeout_s: float) -> int:
        """Let the client have one turn; return how many messages it took in."""
        before = self.count
        assert self.client.loop(timeout_s) == MQTTErrorCode.MQTT_ERR_SUCCESS
        return self.count - before


@pytest.fixture
def heard() -> Iterator[_Heard]:
    client = LeanClient(CallbackAPIVersion.VERSION2, "c", protocol=MQTTProtocolVersion.MQTTv5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        client.connect(*server.getsockname())
        broker = server.accept()[0]
    own = client.socket()
    assert isinstance(own, socket.socket)
    with closing(own), broker:
        broker.settimeout(10)
        assert broker.recv(1000)
        broker.sendall(_CONNACK)
        while not client.is_connected():
            client.loop(10)
        broker.settimeout(120)  # for all that a test sends in one go
        yield _Heard(client, broker)


def test_what_is_to_be_sent_has_its_turn_however_much_comes(heard: _Heard) -> None:
    many = 100_000
    feeder = threading.Thread(target=heard.broker.sendall, args=(_PUBLISH * many,), daemon=True)
    feeder.start()
    turns = [heard.loop(10)]
    heard.client.send_together([_WORD])
    turns.append(heard.loop(10))
    assert heard.broker.recv(1000) == _WORD
    while heard.count < many:
        turns.append(heard.loop(10))
    feeder.join()
    assert max(turns) <= 2000


def test_what_is_left_of_a_turn_waits_for_nothing_more_to_come(heard: _Heard) -> None:
    many = 1500
    heard.broker.sendall(_PUBLISH * many)
    began = time.monotonic()
    while heard.count < many:
        heard.loop(40)
    assert time.monotonic() - began < 30


#: At QoS 0: topic "t", these properties, "data".
_PROPERTIES = {
    "U+FEFF in a text": b"\x26\x00\x01a\x00\x03\xef\xbb\xbf",
    "no UTF-8": b"\x26\x00\x01a\x00\x02\xc3\x28",
    "an unknown format": b"\x01\x02\x01\x01",
    "a property that no message has": b"\x13\x00\x05",
    "an unknown property": b"\x7e\x00",
    "a text that is longer than all": b"\x26\xff\xff",
}


@pytest.mark.parametrize("properties", _PROPERTIES.values(), ids=_PROPERTIES)
def test_a_message_is_heard_whatever_its_properties_are(heard: _Heard, properties: bytes) -> None:
    came: list[tuple[str, bytes]] = []
    heard.client.on_message = lambda _, __, message: came.append(
        (message.topic, bytes(message.payload))
    )
    body = b"\x00\x01t" + bytes([len(properties)]) + properties + b"data"
    heard.broker.sendall(bytes([0x30, len(body)]) + body + _PUBLISH)
    for _ in range(2):
        heard.loop(10)
    assert came == [("t", b"data"), ("t", bytes(5))]


@given(
    topic=st.text(max_size=20),
    mid=st.integers(1, 0xFFFF),
    properties=st.binary(max_size=400),
    payload=st.binary(max_size=50),
    qos=st.integers(0, 2),
)
def test_without_its_properties_a_message_is_the_same(
    topic: str, mid: int, properties: bytes, payload: bytes, qos: int
) -> None:
    name = topic.encode()
    begins = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if qos else b"")
    size = bytes(VariableByteIntegers.encode(len(properties)))  # type: ignore[no-untyped-call]
    packet = bytearray(begins + size + properties + payload)
    left = packets.without_properties(0x30 | qos << 1, packet)
    assert left == begins + b"\0" + payload
