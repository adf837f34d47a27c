"""What every way of telling people has in common."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

from cleandesk_fleet.subscriber.notices.choosing import Way
from cleandesk_fleet.subscriber.notices.outbox import Message
from cleandesk_fleet.subscriber.notices.secret_file import misfit

#: One try lasts so many times `timeout_s` at most.
PATIENCE = 3
#: After that it is hung up on so often: a name that was slow to be found, or STARTTLS, brings
#: another socket.
_AGAIN_S = 1.0


class NotTakenError(Exception):
    """A receiver did not take a message; the text says why and what to do."""


class Sender(Protocol):
    """A way to tell people.

    Attributes:
        way: Which one.
        timeout_s: Without a word for so long, or three times as long in all, a try has failed.
    """

    way: Way
    timeout_s: float

    def send(self, message: Message) -> None:
        """Hand a message over; return once the receiver has said that it has it.

        Raises:
            NotTakenError: If it has not, as far as we know.
        """


class Connected(Protocol):
    """A connection of a library's; `sock` is None while there is none."""

    @property
    def sock(self) -> socket.socket | None:
        """The socket."""


class Patience:
    """Ends a connection after a time, however slowly somebody drips into it.

    Args:
        timeout_s: The way's; it is over after `PATIENCE` times as long.
    """

    def __init__(self, timeout_s: float) -> None:
        self._whole_s = PATIENCE * timeout_s
        self._over, self._done = threading.Event(), threading.Event()
        self._connection: Connected | None = None
        self._end = threading.Thread(target=self._hang_up, name="patience", daemon=True)

    def __enter__(self) -> Self:
        self._end.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def watch(self, connection: Connected) -> None:
        """Say what is to be ended."""
        self._connection = connection

    def check(self) -> None:
        """See that there was time: what was heard until the end may look like an answer.

        Raises:
            TimeoutError: If there was not.
        """
        if self._over.is_set():
            raise TimeoutError(f"no whole answer in {self._whole_s:g} s")

    def _hang_up(self) -> None:
        """Wake up whoever waits for the connection's next byte, again and again until it ends."""
        wait_s = self._whole_s
        while not self._done.wait(wait_s):
            self._over.set()
            held = self._connection.sock if self._connection is not None else None
            if held is not None:
                with suppress(OSError):  # it is gone already, or about to be another one
                    held.shutdown(socket.SHUT_RDWR)
            wait_s = _AGAIN_S


def tls(ca: Path | None, key: str) -> ssl.SSLContext:
    """Return a client's context: certificate and host name are checked, TLS 1.2 or later.

    Raises:
        ConfigError: If the file of the authority cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one
        fix = "give the PEM file of the authority that signed the server's certificate"
        raise misfit(ca or Path(), key, error.strerror or str(error), fix) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
