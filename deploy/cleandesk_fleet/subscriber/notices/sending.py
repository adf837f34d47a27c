"""What every way of telling people has in common."""

import ssl
from pathlib import Path
from typing import Protocol

from cleandesk_fleet.subscriber.notices.choosing import Way
from cleandesk_fleet.subscriber.notices.outbox import Message
from cleandesk_fleet.subscriber.notices.secret_file import misfit

#: One try lasts so many times `timeout_s` at most.
PATIENCE = 3


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
