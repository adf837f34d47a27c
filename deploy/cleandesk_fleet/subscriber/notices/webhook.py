"""Posts to an address, signed as Standard Webhooks (standardwebhooks.com, 1.0.0) says."""

import base64
import binascii
import hashlib
import hmac
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from cleandesk_fleet.subscriber.notices import secret_file
from cleandesk_fleet.subscriber.notices.choosing import Way
from cleandesk_fleet.subscriber.notices.outbox import Message
from cleandesk_fleet.subscriber.notices.sending import NotTakenError, Patience, tls
from cleandesk_fleet.subscriber.notices.settings import WebhookSettings
from cleandesk_fleet.subscriber.notices.wording import payload

_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_TAKEN = range(200, 300)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connection's socket; the connection itself lets go of it before an answer's last byte."""

    sock: socket.socket


class Webhook:
    """Posts each message to one address.

    A redirect is not followed: it would take the message to where nobody agreed to.

    Args:
        settings: Where to, and the key.
        clock: Seconds since 1970, for the signature.

    Raises:
        ConfigError: If the key or the authority cannot be used.
    """

    way = Way.WEBHOOK

    def __init__(self, settings: WebhookSettings, clock: Callable[[], float] = time.time) -> None:
        self.timeout_s = settings.timeout_s
        self._clock = clock
        parts = urlsplit(settings.url)
        self._host, self._port = parts.hostname or "", parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._encrypted = parts.scheme == "https"
        self._tls = tls(settings.ca, "notices.webhook.ca")
        self._key = _key(settings)

    def send(self, message: Message) -> None:
        """Post it; see `Sender.send`."""
        body = payload(message)
        try:
            with self._connection() as connection:
                connection.request("POST", self._path, body, self._headers(message.name, body))
                response = connection.getresponse()
                said = response.read(_SHOWN).decode("utf-8", "replace")
        except (OSError, ValueError, HTTPException) as error:
            reason = f"{type(error).__name__}: {error}"
            raise NotTakenError(f"{self._host}: {reason}: is notices.webhook.url right?") from error
        if response.status not in _TAKEN:
            raise NotTakenError(
                f"{self._host}: HTTP {response.status} {response.reason!r}: {said!r}: "
                "let the receiver take it, and answer with 2xx"
            )

    def _headers(self, name: str, body: bytes) -> dict[str, str]:
        moment = str(int(self._clock()))
        signed = b".".join([name.encode(), moment.encode(), body])
        signature = base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        return {
            "Content-Type": "application/json",
            "User-Agent": "cleandesk-subscriber",
            "webhook-id": name,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{signature}",
        }

    @contextmanager
    def _connection(self) -> Iterator[HTTPConnection]:
        """Yield a connection that ends in any case, however slowly somebody drips into it."""
        connection = (
            HTTPSConnection(self._host, self._port, timeout=self.timeout_s, context=self._tls)
            if self._encrypted
            else HTTPConnection(self._host, self._port, timeout=self.timeout_s)
        )
        try:
            with Patience(self.timeout_s) as patience:
                patience.watch(connection)
                connection.connect()
                patience.watch(_Opened(connection.sock))
                yield connection
                patience.check()
        finally:
            connection.close()


def _key(settings: WebhookSettings) -> bytes:
    setting = "notices.webhook.secret_file"
    text = secret_file.read(settings.secret_file, setting)
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if len(key) not in _KEY_BYTES:
        reason = "it holds no key of 24 to 64 bytes in base64"
        fix = 'write one into it: echo "whsec_$(openssl rand -base64 32)"'
        raise secret_file.misfit(settings.secret_file, setting, reason, fix)
    return key
