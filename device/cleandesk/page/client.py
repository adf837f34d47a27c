"""Asks the box over its Unix socket. Each request has a connection of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from cleandesk.page.errors import BoxFailedError, BoxUnreachableError
from cleandesk.worker.protocol import (
    ANSWER,
    MAX_LINE,
    Answer,
    Done,
    Drawing,
    Failed,
    GetState,
    Line,
    State,
    Watch,
    encode,
)

A = TypeVar("A", bound=Line)
#: No answer for so long: the box is not there.
PATIENCE_S = 5.0


class BoxClient:
    """The box, as far as the page knows it.

    Args:
        socket: The box's Unix socket.
        patience_s: How long an answer may take.
    """

    def __init__(self, socket: Path, *, patience_s: float = PATIENCE_S) -> None:
        self._socket = socket
        self._patience_s = patience_s

    async def ask(self, request: Line, kind: type[A]) -> A:
        """Ask, and return the answer of the kind that this request has.

        Raises:
            BoxUnreachableError: If there is none, or it is not as agreed.
            BoxFailedError: If the box says that it was not done.
        """
        async with self._connection() as (reader, writer):
            writer.write(encode(request))
            answer = await self._answer(reader)
        return _expected(answer, kind)

    async def state(self) -> State:
        """Return what the box does now.

        Raises:
            BoxUnreachableError: As `ask`.
        """
        return await self.ask(GetState(), State)

    async def tell(self, request: Line) -> None:
        """Ask for something that has no answer but that it was done.

        Raises:
            BoxUnreachableError, BoxFailedError: As `ask`.
        """
        await self.ask(request, Done)

    async def watch(self) -> AsyncGenerator[Drawing]:
        """Yield each look from now on, without its picture, as long as the box tells.

        Raises:
            BoxUnreachableError: If the box goes.
        """
        async with self._connection() as (reader, writer):
            writer.write(encode(Watch()))
            while True:
                try:
                    answer = await self._answer(reader)
                except TimeoutError:
                    continue  # a box that does not look has nothing to tell
                yield _expected(answer, Drawing)

    @asynccontextmanager
    async def _connection(
        self,
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        writer = None
        try:
            async with asyncio.timeout(self._patience_s):
                reader, writer = await asyncio.open_unix_connection(self._socket, limit=MAX_LINE)
            yield reader, writer
        except TimeoutError as error:
            raise BoxUnreachableError(
                f"{self._socket}: no answer in {self._patience_s:g} s"
            ) from error
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise BoxUnreachableError(f"{self._socket}: {error}") from error
        finally:
            if writer is not None:
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        async with asyncio.timeout(self._patience_s):
            line = await reader.readuntil(b"\n")
        try:
            return ANSWER.validate_json(line)
        except ValidationError as error:
            raise BoxUnreachableError(f"{self._socket}: {error.errors()[0]['msg']}") from error


def _expected(answer: Line, kind: type[A]) -> A:
    if isinstance(answer, kind):
        return answer
    if isinstance(answer, Failed):
        raise BoxFailedError(answer)
    raise BoxUnreachableError(f"the box answered {type(answer).__name__}, not {kind.__name__}")
