"""How every page is served: uvicorn with nothing that it does not need, and what it lacks."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

#: A request begins so long after the one before, and is whole so long after its first byte.
HEAR_S = 30.0
_KEEP_ALIVE_S = 30
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


class PromptProtocol(H11Protocol):
    """Ends connections whose request does not come to an end.

    uvicorn waits for the rest of a request for ever: some hundred askers who send a byte now and
    then would keep everybody out. An answer may take as long as it likes.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, not for ever."""
        super().connection_made(transport)
        self._begun = False
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Count from a request's first byte on, whatever follows it."""
        if not self._begun:
            self._begun = True
            self._end.cancel()
            self._wait()
        super().data_received(data)

    def handle_events(self) -> None:
        """Let a request that is whole take its time."""
        super().handle_events()
        if self.conn.their_state not in _UNFINISHED:
            self._begun = False
            self._end.cancel()
        elif self._end.cancelled():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._end = self.loop.call_later(HEAR_S, self.transport.abort)


def config(
    app: ASGIApp,
    *,
    most_connections: int,
    goodbye_s: int,
    cert: Path | None = None,
    key: Path | None = None,
) -> uvicorn.Config:
    """Return what uvicorn needs to know.

    Args:
        app: What is served.
        most_connections: So many at once; those beyond are told to come later.
        goodbye_s: So long an answer may still take at the end.
        cert: Certificate with its chain, PEM; None is no TLS.
        key: Its key.
    """
    # No access log: it would say who looked at what, for good.
    options: dict[str, Any] = {"log_config": None, "access_log": False}
    options |= {"server_header": False, "proxy_headers": False, "ws": "none", "lifespan": "off"}
    return uvicorn.Config(
        app,
        ssl_certfile=cert,
        ssl_keyfile=key,
        http=PromptProtocol,
        loop="asyncio",
        limit_concurrency=most_connections,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=goodbye_s,
        **options,
    )


def end_by_signals(server: uvicorn.Server) -> None:
    """Have a server end by SIGTERM and SIGINT also before it listens to them itself.

    It ends in order then, and raises the signal again, which is no failure.
    """

    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
