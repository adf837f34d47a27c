"""Many packets that come at once: taken in by turns, and what is to be sent has its own."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

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
