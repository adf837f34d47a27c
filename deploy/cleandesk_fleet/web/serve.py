"""Serves the page: sockets, uvicorn with nothing that it does not need, and what is due to go."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import uvicorn
from sqlalchemy.exc import DatabaseError
from starlette.types import ASGIApp

from cleandesk.http import serving
from cleandesk_fleet.subscriber.moments import Clock, system_clock
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.web import audit, sessions
from cleandesk_fleet.web.app import make
from cleandesk_fleet.web.audit import Trail
from cleandesk_fleet.web.entrance import Entrance
from cleandesk_fleet.web.errors import WebError
from cleandesk_fleet.web.parts import Parts, templates
from cleandesk_fleet.web.proxy import Proxy
from cleandesk_fleet.web.settings import ListenSettings, WebSettings
from cleandesk_fleet.web.store import Store

log = logging.getLogger(__name__)

_BACKLOG = 64
_MOST_CONNECTIONS = 200
_GOODBYE_S = 5
_TIDY_EVERY_S = 3600.0


def assemble(settings: WebSettings, clock: Clock = system_clock) -> Parts:
    """Return what the page is made of.

    Raises:
        WebError: If the proxy's secret cannot be used.
        DatabaseUnusableError: If there is no log of this version.
    """
    proxy = None if settings.proxy is None else Proxy(settings.proxy)
    store = Store(settings.store.place)
    trail = Trail(timedelta(days=settings.audit_days))
    return Parts(
        settings=settings,
        store=store,
        trail=trail,
        entrance=Entrance(store, trail, clock),
        proxy=proxy,
        pictures=Pictures(settings.store.folder),
        templates=templates(),
        clock=clock,
    )


def serve(settings: WebSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        WebError: If the page cannot start.
        DatabaseUnusableError: If there is no log of this version.
    """
    parts = assemble(settings)
    try:
        config = _config(settings, make(parts))
        listener = listen(settings.listen)
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        server = uvicorn.Server(config)
        serving.end_by_signals(server)
        log.info("page started", extra={"url": settings.url, "listens": _words(settings.listen)})
        asyncio.run(_run(server, listener, parts))
    finally:
        parts.store.close()
    if settings.listen.socket is not None:
        settings.listen.socket.unlink(missing_ok=True)


def _config(settings: WebSettings, app: ASGIApp) -> uvicorn.Config:
    """Return what uvicorn needs to know, with the certificate loaded."""
    config = serving.config(
        app,
        most_connections=_MOST_CONNECTIONS,
        goodbye_s=_GOODBYE_S,
        cert=settings.listen.cert,
        key=settings.listen.key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise WebError(
            f"{settings.listen.cert} with key {settings.listen.key}: {error}: give a readable PEM "
            "certificate and its own unlocked key"
        ) from error
    return config


async def _run(server: uvicorn.Server, listener: socket.socket, parts: Parts) -> None:
    async with _tidying(parts):
        await server.serve(sockets=[listener])


@contextlib.asynccontextmanager
async def _tidying(parts: Parts) -> AsyncIterator[None]:
    """Delete what had its time, each hour."""

    async def go_on() -> None:
        while True:
            await asyncio.to_thread(tidy, parts)
            await asyncio.sleep(_TIDY_EVERY_S)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def tidy(parts: Parts) -> None:
    """Delete sessions and lines of the trail that had their time; what fails is tried again."""
    now = parts.clock().utc
    with _tried("sessions"), parts.store.writing() as connection:
        sessions.drop_ended(connection, now)
    with _tried("lines of the trail"):
        with parts.store.writing() as connection:
            lines = audit.delete_due(connection, now)
        if lines:
            log.info("lines of the trail were deleted after their time", extra={"lines": lines})


@contextlib.contextmanager
def _tried(what: str) -> Iterator[None]:
    """Tell why something could not be deleted; the rest goes all the same."""
    try:
        yield
    except DatabaseError as error:
        extra = {"what": what, "reason": str(error)[:500]}
        log.error("what had its time could not be deleted", extra=extra)  # noqa: TRY400 - the text says it all


def listen(settings: ListenSettings) -> socket.socket:
    """Open the socket, so that a port in use is told plainly.

    Raises:
        WebError: If it cannot be opened.
    """
    try:
        if settings.socket is not None:
            return _unix(settings.socket)
        family = socket.AF_INET6 if settings.address.version == 6 else socket.AF_INET  # noqa: PLR2004
        place = (str(settings.address), settings.port)
        return socket.create_server(place, family=family, backlog=_BACKLOG, reuse_port=False)
    except OSError as error:
        raise WebError(
            f"{_words(settings)}: {os.strerror(error.errno or 0)}; end who listens there, or "
            "choose another place in 'listen'"
        ) from error


def _unix(path: Path) -> socket.socket:
    """Open a Unix socket for one user and one group; one that nobody listens on is replaced."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            if other.connect_ex(str(path)) != 0:
                path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)  # whoever can connect is believed: nobody else may, not for a moment
    try:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _words(settings: ListenSettings) -> str:
    return str(settings.socket or f"{settings.address} port {settings.port}")
