"""The process of the enrolment service: HTTPS, who is at the door, and fresh revocation lists."""

import logging
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cleandesk_fleet.provision import certificates, keyfiles
from cleandesk_fleet.provision.authorities import LIST_LASTS, Issuer
from cleandesk_fleet.provision.door import Watch
from cleandesk_fleet.provision.fleet import DOOR, Fleet
from cleandesk_fleet.provision.roles import BROKER
from cleandesk_fleet.provision.service import Enrolment

log = logging.getLogger(__name__)

_AT_ONCE = 100
_KEEP_ALIVE_S = 5
_GOODBYE_S = 5
_DAY_S = 86_400.0
#: What others must renew is told of each day from so long before its end.
_WARN_BELOW = LIST_LASTS
#: An authority cannot be renewed, and what it signs ends with it.
_WARN_OF_AUTHORITIES = timedelta(days=365)
_RENEWED_BY = {
    BROKER: "run `cleandesk-provision broker`, then restart the broker: once it is over boxes and "
    "subscribers leave",
    DOOR.name: "run `cleandesk-provision ca init` again",
}


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
        limit_concurrency=_AT_ONCE + given.fetches_at_once,
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
        for one in due(self._fleet):
            log.error(
                "something runs out that people must renew",
                extra={"what": one.what, "days": one.days, "fix": one.fix},
            )


@dataclass(frozen=True, slots=True)
class Due:
    """Something that runs out: what, in how many days, and what to do."""

    what: str
    days: int
    fix: str


def due(fleet: Fleet) -> Iterator[Due]:
    """Yield what people must renew, since it takes the passphrase, or a new root."""
    with fleet.registry.change() as change:
        now, running_out = change.now, certificates.running_out(change, _WARN_BELOW)
    for name, ends in running_out:
        fix = _RENEWED_BY.get(name, "run `cleandesk-provision operator add` again")
        yield Due(f"the certificate of {name}", (ends - now).days, fix)
    for issuer in (Issuer.PEOPLE, Issuer.ADMINS):
        current = fleet.authorities.read_list(issuer)
        over = None if current is None else current.next_update_utc
        if over is not None and over - now < _WARN_BELOW:
            fix = "run `cleandesk-provision crl`: once it is over nobody is let in"
            yield Due(f"the revocation list of {issuer}", (over - now).days, fix)
    for issuer in Issuer:
        ends = keyfiles.read_certificate(fleet.authorities.certificate(issuer)).not_valid_after_utc
        if ends - now < _WARN_OF_AUTHORITIES:
            fix = "set up a new root beside it: deploy/README.md says how"
            yield Due(f"the authority of {issuer}", (ends - now).days, fix)
