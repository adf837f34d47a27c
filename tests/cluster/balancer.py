"""A TCP balancer before the nodes: it hands connections on, and ends those that are dead."""

import asyncio
import itertools
import socket
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Self

_CONNECT_S = 2.0
#: What is sent and not acknowledged by the other machine for so long ends the connection.
_UNANSWERED_MS = 5_000
_CHUNK = 65_536


class Balancer:
    """Takes connections on a port of the loopback address; each goes to the next node that answers.

    Args:
        nodes: Addresses of the nodes.
        port: On which they listen.
    """

    def __init__(self, nodes: Sequence[str], port: int) -> None:
        self._nodes, self._to = list(nodes), port
        self._turn = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancer", daemon=True)
        self._server: asyncio.Server
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        self._server = self._do(listening)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            node = await self._node()
        except asyncio.CancelledError:
            node = None
        if node is None:
            writer.transport.abort()
            return
        there_reader, there_writer = node
        ways = [(reader, there_writer), (there_reader, writer)]
        copies = [asyncio.ensure_future(_copy(*way)) for way in ways]
        with suppress(asyncio.CancelledError):
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        for copy in copies:
            copy.cancel()
        for each in (writer, there_writer):
            each.transport.abort()

    async def _node(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for number in range(len(self._nodes)):
            address = self._nodes[(first + number) % len(self._nodes)]
            with suppress(OSError, TimeoutError):
                found = await asyncio.wait_for(
                    asyncio.open_connection(address, self._to), _CONNECT_S
                )
                found[1].get_extra_info("socket").setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS
                )
                return found
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
