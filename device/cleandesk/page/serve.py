"""Serves the page: certificate, sockets, and uvicorn with nothing that it does not need."""

import asyncio
import logging
import socket
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from cleandesk.clock import SystemClock
from cleandesk.http import serving
from cleandesk.page import certificate, pins
from cleandesk.page.app import make
from cleandesk.page.client import BoxClient
from cleandesk.page.entrance import Entrance
from cleandesk.page.errors import PageError
from cleandesk.page.parts import Parts, templates
from cleandesk.page.settings import PageSettings
from cleandesk.page.store import Store
from cleandesk.page.texts import Texts
from cleandesk.page.viewers import Viewers

log = logging.getLogger(__name__)

_BACKLOG = 32
_MOST_CONNECTIONS = 64
_GOODBYE_S = 2


@dataclass(frozen=True, slots=True)
class Certificate:
    """The page's key and certificate.

    Attributes:
        path: Both, PEM.
        fingerprint: As browsers show it.
    """

    path: Path
    fingerprint: str


def certificate_of(settings: PageSettings) -> Certificate:
    """Return the page's certificate; made if it is not there.

    Raises:
        PageError: If it cannot be.
    """
    path = certificate.ensure(settings.state, settings.name, _addresses())
    return Certificate(path, certificate.fingerprint(path))


def serve(settings: PageSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        PageError: If the page cannot start.
    """
    if not settings.page.enabled:
        log.info("the page is not enabled", extra={"box": settings.box})
        return
    label = pins.read_label(settings.label)
    own = certificate_of(settings)
    sockets = _listen(settings)
    store = Store(settings.state / "page.db")
    clock = SystemClock()
    box = BoxClient(settings.socket)
    parts = Parts(
        settings=settings,
        entrance=Entrance.open(store, box, label, clock),
        box=box,
        texts=Texts(),
        templates=templates(),
        clock=clock,
        fingerprint=own.fingerprint,
        viewers=Viewers(),
    )
    config = serving.config(
        make(parts),
        most_connections=_MOST_CONNECTIONS,
        goodbye_s=_GOODBYE_S,
        cert=own.path,
        key=own.path,
    )
    server = _Server(config, parts.viewers)
    serving.end_by_signals(server)
    log.info("page started", extra={"address": settings.address, "fingerprint": own.fingerprint})
    logging.getLogger("uvicorn.error").addFilter(_plain)
    try:
        asyncio.run(server.serve(sockets=sockets))
    finally:
        store.close()


class _Server(uvicorn.Server):
    """Ends those who watch first, as they would not end by themselves."""

    def __init__(self, config: uvicorn.Config, viewers: Viewers) -> None:
        super().__init__(config)
        self._viewers = viewers

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in order."""
        self._viewers.closing = True
        await super().shutdown(sockets)


def _plain(record: logging.LogRecord) -> bool:
    """Take the colours out of uvicorn's words."""
    record.__dict__.pop("color_message", None)
    return True


def _listen(settings: PageSettings) -> list[socket.socket]:
    """Open the sockets, so that a port in use is told plainly.

    Raises:
        PageError: If one cannot be opened.
    """
    opened = []
    for address in settings.page.listen:
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004
        place = (str(address), settings.page.port)
        try:
            opened.append(
                socket.create_server(place, family=family, backlog=_BACKLOG, reuse_port=False)
            )
        except OSError as error:
            raise PageError(
                f"{address} port {settings.page.port}: {error.strerror}; end who listens there, "
                "choose another 'page.port', or for a port below 1024 give the page's unit "
                "AmbientCapabilities=CAP_NET_BIND_SERVICE"
            ) from error
    return opened


def _addresses() -> list[str]:
    """Return this machine's addresses at present, as far as its name tells; for the certificate."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return sorted({str(place[0]).partition("%")[0] for *_, place in found})
