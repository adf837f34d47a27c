"""The socket below an MQTT connection: packets in and out, by one thread; TLS or not."""

import os
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from cleandesk.contract import packets
from cleandesk.contract.packets import Arrived

CONNECT_S = 5.0
_CHUNK = 1 << 16
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Stream:
    """A connected socket. Only the thread that made it touches it: it calls all but `send`.

    Args:
        host: Name or address of the broker; a certificate must name it.
        port: Where it listens.
        context: Who is trusted and who we are; None: no TLS.
        handshake_s: The TLS handshake takes at most so long.
        number: Which connection this is: messages bear it.

    Raises:
        OSError: If there is nobody, or nobody who is trusted.
    """

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        *,
        handshake_s: float,
        number: int,
    ) -> None:
        connected = socket.create_connection((host, port), timeout=CONNECT_S)
        try:
            # An event and its answer are small: waiting to fill a packet would only delay them.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                connected.settimeout(handshake_s)
                connected = context.wrap_socket(connected, server_hostname=host)
            connected.setblocking(False)
        except BaseException:
            connected.close()
            raise
        self._socket, self._number = connected, number
        self._rest, self._unsent = b"", b""
        self._over = False
        self._lock = threading.Lock()
        self._out: deque[bytes] = deque()
        self._bell, self._rung, self._closed = os.eventfd(0, os.EFD_NONBLOCK), False, False
        self._owner = threading.get_ident()
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)
        self._poll.register(self._socket, select.POLLIN)
        self.last_in = self.last_out = time.monotonic()

    def send(self, data: bytes) -> None:
        """Have bytes sent, in order; from any thread. Does nothing once it is closed."""
        with self._lock:
            if self._closed:
                return
            self._out.append(data)
            if not self._rung and threading.get_ident() != self._owner:
                self._rung = True
                os.eventfd_write(self._bell, 1)

    def turn(self, timeout_s: float) -> list[Arrived]:
        """Send what waits, and return what came, if need be after a wait.

        Raises:
            OSError: If the connection is over, and everything that came was returned.
            ValueError: If what came is no MQTT 5.
        """
        if self._over:
            raise ConnectionResetError("the other side ended it")
        self._flush()
        for descriptor, _ in self._poll.poll(timeout_s * 1000):
            if descriptor == self._bell:
                os.eventfd_read(self._bell)
                self._rung = False  # before the queue is looked at: nothing is left behind
        self._flush()
        return self._receive()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Do not wake the network's thread for what is sent within before its end."""
        with self._lock:
            self._rung = True
        try:
            yield
        finally:
            with self._lock:
                if not self._closed:
                    os.eventfd_write(self._bell, 1)

    def finish(self, last: bytes, timeout_s: float) -> None:
        """Send what waits, then the last bytes, and wait for the other side's end.

        Without that wait what it has not read yet could be lost with our end of the connection.
        """
        give_up = time.monotonic() + timeout_s
        self._socket.settimeout(timeout_s)
        self._socket.sendall(b"".join((self._unsent, *self._out, last)))
        self._socket.shutdown(socket.SHUT_WR)
        while time.monotonic() < give_up and self._socket.recv(_CHUNK):
            pass

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._closed = True
            os.close(self._bell)
        self._socket.close()

    def _pending(self) -> bool:
        """Say whether TLS holds bytes that the socket does not show any more."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _flush(self) -> None:
        """Send what waits, as far as there is room."""
        while self._out:
            self._unsent += b"".join([self._out.popleft() for _ in range(len(self._out))])
        had, left = len(self._unsent), memoryview(self._unsent)
        try:
            while left:
                left = left[self._socket.send(left) :]
        except _NOT_NOW:
            pass
        if len(left) < had:
            self.last_out = time.monotonic()
            self._unsent = bytes(left)
        wanted = select.POLLIN | (select.POLLOUT if self._unsent else 0)
        self._poll.modify(self._socket, wanted)

    def _receive(self) -> list[Arrived]:
        try:
            came = self._socket.recv(_CHUNK)
            while came and self._pending():
                came += self._socket.recv(_CHUNK)
        except _NOT_NOW:
            return []
        self._over = not came
        self.last_in = time.monotonic()
        found, self._rest = packets.split(self._rest + came, self._number)
        return found
