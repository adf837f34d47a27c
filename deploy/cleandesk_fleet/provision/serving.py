"""The process of the enrolment service: HTTPS, who is at the door, and fresh revocation lists."""

import logging
import ssl
import time
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cleandesk_fleet.provision import keyfiles
from cleandesk_fleet.provision.authorities import LIST_LASTS, Issuer
from cleandesk_fleet.provision.door import Watch
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.service import Enrolment

log = logging.getLogger(__name__)

_AT_ONCE = 100
_KEEP_ALIVE_S = 5
_GOODBYE_S = 5
_DAY_S = 86_400.0
#: A revocation list that others must write is told of when so much of its life is left.
_WARN_BELOW = LIST_LASTS


def protocol(longest_s: float) -> type[H11Protocol]:
    """Return uvicorn's protocol with what it lacks.

    It hands the client's certificate on as `request.state.certificate` (DER, or None), and ends
    each connection after a time: uvicorn waits for the rest of a request for ever.
    """

    class OwnProtocol(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            connection = transport.get_extra_info("ssl_object")
            shown = connection.getpeercert(binary_form=True) if connection is not None else None
            self.app_state = {**self.app_state, "certificate": shown}
            self._end = self.loop.call_later(longest_s, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            self._end.cancel()
            super().connection_lost(exc)

    return OwnProtocol


def serve(fleet: Fleet) -> None:
    """Answer boxes until SIGTERM; meanwhile put out whose certificate ends.

    Raises:
        LockedError: If a key is missing.
    """
    given = fleet.settings.enrolment
    config = uvicorn.Config(
        Enrolment(fleet).app(),
        host=given.listen,
        port=given.port,
        http=protocol(given.longest_s),
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_AT_ONCE,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GOODBYE_S,
        ssl_certfile=fleet.enrolment[0],
        ssl_keyfile=fleet.enrolment[1],
        ssl_ca_certs=str(fleet.authorities.trust(Issuer.BOXES)),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    with Watch(Rounds(fleet).go):
        uvicorn.Server(config).run()


class Rounds:
    """What is looked after each second, and what each day."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._next_day = 0.0

    def go(self) -> None:
        """Put out who is to go; once a day write the boxes' list anew.

        Raises:
            BrokerError: If the broker does not do it.
        """
        self._fleet.enforce()
        if time.monotonic() >= self._next_day:
            self._fleet.publish(Issuer.BOXES)
            self._next_day = time.monotonic() + _DAY_S
            self._warn()

    def _warn(self) -> None:
        """Tell of what people must renew, since it takes the passphrase."""
        with self._fleet.registry.change() as change:
            now = change.now
        left = keyfiles.read_certificate(self._fleet.door).not_valid_after_utc - now
        if left < _WARN_BELOW:
            log.error(
                "the door's certificate runs out: run `cleandesk-provision ca init` again",
                extra={"days": left.days},
            )
        for issuer in (Issuer.PEOPLE, Issuer.ADMINS):
            current = self._fleet.authorities.read_list(issuer)
            if current is None or current.next_update_utc is None:
                continue
            left = current.next_update_utc - now
            if left < _WARN_BELOW:
                log.error(
                    "a revocation list runs out, and then nobody is let in: run "
                    "`cleandesk-provision crl`",
                    extra={"list": issuer.value, "days": left.days},
                )
