"""The broker's door: a revoked or expired certificate is out, also while its connection is open.

mosquitto looks at certificates and revocation lists when a connection begins, never again. So who
is to go is put out by the administrator, who connects with that box's client id: the broker ends
the older connection, with its session and what was queued for it. No other box notices. The
dynamic-security plugin could end a connection, too, but it knows no patterns: each box would have
to be entered there as well.
"""

import itertools
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from cleandesk.contract import tls
from cleandesk.contract.connection import BrokerSettings, TlsSettings
from cleandesk.contract.mqtt import Session
from cleandesk_fleet.provision.access import client_ids
from cleandesk_fleet.provision.errors import BrokerError, ProvisionError

log = logging.getLogger(__name__)

#: The broker answers, and has read its files anew, within that; else something is wrong.
PATIENCE_S = 4.0
#: MQTT 3.1.1 CONNECT: clean session, no client id, keep alive for 60 s.
_CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"
_CONNACK = 0x20
_PAUSE_S = 0.1
_LOOK_S, _AGAIN_S = 1.0, 3.0


class Door:
    """Puts clients out, by the administrator's listener.

    Args:
        admin: How the administrator reaches the broker.
    """

    def __init__(self, admin: BrokerSettings) -> None:
        self._admin = admin

    def put_out(self, names: Iterable[str]) -> None:
        """End the connections and sessions of these clients, by their certificates' names.

        They may come back at once, if the broker's files still let them. mosquitto gives a client
        its name as its id; RabbitMQ leaves a box the other form.

        Raises:
            BrokerError: If the broker does not take the administrator.
        """
        for client_id in itertools.chain.from_iterable(map(client_ids, names)):
            taken = threading.Event()
            session = Session(self._admin, client_id, on_connect=taken.set)
            session.start()
            try:
                if not taken.wait(PATIENCE_S):
                    raise BrokerError(
                        f"{client_id} could not be put out: {self._admin.host}:{self._admin.port} "
                        "does not take the administrator: is the broker up, and is the "
                        "administrator's certificate valid? Then do it again"
                    )
            finally:
                session.stop()
            log.info("put out", extra={"client_id": client_id})


def await_refusal(listener: BrokerSettings, canary: TlsSettings) -> None:
    """Wait until a listener refuses a certificate that the newest revocation list names.

    Proves that the broker works with that list: a reload returns before it is done, and a list that
    the broker cannot read leaves the old one in force.

    Raises:
        BrokerError: If it lets the certificate in, or cannot be reached.
    """
    give_up = time.monotonic() + PATIENCE_S
    while (said := _answer(listener, canary)) is not None:
        if time.monotonic() > give_up:
            raise BrokerError(
                f"{listener.host}:{listener.port} does not work with the new revocation list "
                f"({said}): look into its log, check the reload command and that it may read the "
                "list, then do it again"
            )
        time.sleep(_PAUSE_S)


def _answer(listener: BrokerSettings, canary: TlsSettings) -> str | None:
    """Try a certificate; None if it is refused as revoked, else what happened instead."""
    context = tls.context(canary)
    # With 1.3 the client is done before the server looks at its certificate.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        with (
            socket.create_connection((listener.host, listener.port), timeout=PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname=listener.host) as secure,
        ):
            secure.sendall(_CONNECT)
            answer = secure.recv(4)
    except ssl.SSLError as error:
        revoked = "CERTIFICATE_REVOKED" in (error.reason or "")
        return None if revoked else f"TLS failed: {error.reason or error}"
    except OSError as error:
        return f"no connection: {error}"
    return "it lets revoked ones in" if answer[:1] == bytes([_CONNACK]) else "it hung up"


class Watch:
    """Does something each second, from a thread of its own: puts out whose certificate ran out.

    Args:
        enforce: Puts out whoever is to go; it is tried again soon when it fails.
    """

    def __init__(self, enforce: Callable[[], object]) -> None:
        self._enforce = enforce
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="door watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        pause_s = _LOOK_S
        while not self._stopping.wait(pause_s):
            pause_s = _LOOK_S
            try:
                self._enforce()
            except (ProvisionError, SQLAlchemyError) as error:
                pause_s = _AGAIN_S
                log.error("somebody who is to go may still be in", extra={"reason": str(error)})  # noqa: TRY400 - the text says it all
            except Exception:
                # A full disk, or a file that nobody reckoned with: whoever is revoked then would
                # stay for as long as the service runs.
                pause_s = _AGAIN_S
                log.exception("somebody who is to go may still be in")
