"""As much of MQTT 5 as thousands of boxes in one process need; paho takes a thread for each.

Packets as in OASIS MQTT 5.0, sections 2.1 and 3.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable
from functools import lru_cache

_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 0x20, 0x30, 0x40, 0x90
_RECEIVE_MAXIMUM = 0x21
_PING = b"\xc0\x00"
_FAILURE = 0x80
_MORE = 0x80
KEEPALIVE_S = 60
#: Sizes of the values of CONNACK's properties that are numbers; the others are text.
_SIZES = {0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}


# Lengths and topics come again and again.
@lru_cache(1 << 15)
def _length(value: int) -> bytes:
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (_MORE if value else 0))
        if not value:
            return bytes(out)


@lru_cache(1 << 15)
def _text(value: bytes) -> bytes:
    return struct.pack("!H", len(value)) + value


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + _length(len(body)) + body


REPLAYED = b"\x26" + _text(b"replayed") + _text(b"1")


#: What came is read into it and taken out at once: all connections share it.
_CAME = memoryview(bytearray(1 << 16))


class Connection(asyncio.BufferedProtocol):
    """One box's connection: QoS 1 both ways, within what the broker takes unanswered.

    Args:
        client_id: The box's.
        will: Topic and payload that the broker publishes, retained, when the box vanishes.
        subscribe: What to subscribe to.
        on_ready: The broker granted it.
        on_message: What came.
        on_lost: The connection is gone.
    """

    def __init__(
        self,
        client_id: str,
        *,
        will: tuple[bytes, bytes],
        subscribe: bytes,
        on_ready: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._client_id, self._will, self._filter = client_id.encode(), will, subscribe
        self._on_ready, self._on_message, self._on_lost = on_ready, on_message, on_lost
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self._room = 0
        self._mid = 0
        self._waiting: deque[tuple[bytes, bytes, bytes, bool]] = deque()
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say who we are."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport
        topic, payload = self._will
        body = _text(b"MQTT") + bytes((5, 0b0010_1110)) + struct.pack("!H", KEEPALIVE_S) + b"\0"
        body += _text(self._client_id) + b"\0" + _text(topic) + _text(payload)
        transport.write(_packet(0x10, body))

    def connection_lost(self, _: Exception | None) -> None:
        """Tell it."""
        self._on_lost()

    def publish(
        self, topic: bytes, payload: bytes, *, properties: bytes = b"", retain: bool = False
    ) -> None:
        """Send a message as soon as the broker has room for it."""
        self._waiting.append((topic, payload, properties, retain))
        self._flush()

    def ping(self) -> None:
        """Show that we live."""
        if self._transport is not None:
            self._transport.write(_PING)

    def close(self) -> None:
        """Leave in order."""
        if self._transport is not None:
            self._transport.write(b"\xe0\x00")
            self._transport.close()

    def abort(self) -> None:
        """Vanish."""
        if self._transport is not None:
            self._transport.abort()

    def get_buffer(self, _: int) -> memoryview:
        """Say where to put what comes."""
        return _CAME

    def buffer_updated(self, size: int) -> None:
        """Take whole packets out of what came."""
        came = self._rest + _CAME[:size]
        at, size = 0, len(came)
        while size - at > 1:
            length, shift, begin = 0, 0, at + 1
            while begin < size:
                digit = came[begin]
                length |= (digit & 0x7F) << shift
                begin += 1
                shift += 7
                if digit < _MORE:
                    break
            else:
                break
            if size - begin < length:
                break
            self._handle(came[at], came[begin : begin + length])
            at = begin + length
        self._rest = came[at:]

    def _handle(self, first: int, body: bytes) -> None:
        kind = first & 0xF0
        if kind == _PUBLISH:
            self._message(first, body)
        elif kind == _PUBACK:
            self._room += 1
            self.refused += len(body) > 2 and body[2] >= _FAILURE
            if self._waiting:
                self._flush()
        elif kind == _CONNACK:
            if body[1]:
                raise ConnectionError(f"the broker refused {self._client_id!r}: code {body[1]}")
            self._room = _receive_maximum(body)
            wanted = struct.pack("!H", self._next_mid()) + b"\0" + _text(self._filter) + b"\1"
            self._write(_packet(0x82, wanted))
        elif kind == _SUBACK:
            self._on_ready()

    def _message(self, first: int, body: bytes) -> None:
        at = 2 + int.from_bytes(body[:2], "big")
        if first & 0b0110:
            self._write(b"\x40\x02" + body[at : at + 2])
            at += 2
        # An answer has no properties beyond those of 127 bytes: the length is one byte.
        self._on_message(body[at + 1 + body[at] :])

    def _flush(self) -> None:
        while self._room > 0 and self._waiting and self._transport is not None:
            topic, payload, properties, retain = self._waiting.popleft()
            self._room -= 1
            head, mid, more = _text(topic), self._next_mid(), _length(len(properties))
            size = len(head) + 2 + len(more) + len(properties) + len(payload)
            first = (0x32 | retain).to_bytes()
            rest = (head, mid.to_bytes(2, "big"), more, properties, payload)
            self._transport.write(b"".join((first, _length(size), *rest)))

    def _next_mid(self) -> int:
        self._mid = self._mid % 0xFFFF + 1
        return self._mid

    def _write(self, packet: bytes) -> None:
        if self._transport is not None:
            self._transport.write(packet)


def _receive_maximum(connack: bytes) -> int:
    """Read how many messages the broker takes unanswered; 65,535 if it does not say."""
    at, end = 3, 3 + connack[2]
    while at < end:
        name = connack[at]
        if name == _RECEIVE_MAXIMUM:
            return int.from_bytes(connack[at + 1 : at + 3], "big")
        size = _SIZES.get(name)
        at += 1 + (2 + int.from_bytes(connack[at + 1 : at + 3], "big") if size is None else size)
    return 0xFFFF
