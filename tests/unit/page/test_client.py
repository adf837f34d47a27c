"""Asking the box: what it says amiss is an error, and never a state."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cleandesk.page.client import BoxClient
from cleandesk.page.errors import BoxFailedError, BoxUnreachableError
from cleandesk.worker import protocol as p
from tests.fake_box import FakeBox

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def ask(socket: Path, answer: bytes | None) -> p.State:
    """Ask a box that answers with these bytes; None: it says nothing."""
    answered = asyncio.Event()
    patience_s = 0.2 if answer is None else 20

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if answer is None:
            await reader.read()  # until the page gives up
        else:
            writer.write(answer)
        writer.close()
        answered.set()

    async def run() -> p.State:
        server = await asyncio.start_unix_server(handle, socket)
        try:
            return await BoxClient(socket, patience_s=patience_s).state()
        finally:
            server.close()
            with contextlib.suppress(TimeoutError):  # it gave up before anybody let it in
                await asyncio.wait_for(answered.wait(), 5)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "no answer in 0.2 s"),
        (b"", "0 bytes read"),
        (b"half a line", "bytes read"),
        (b"nonsense\n", "Invalid JSON"),
        (b'{"kind":"unheard_of"}\n', "unheard_of"),
        (p.encode(p.Done()), "the box answered Done, not State"),
        (b"x" * (p.MAX_LINE + 10), "Separator"),
    ],
)
def test_an_answer_that_is_none_is_no_state(
    tmp_path: Path, answer: bytes | None, words: str
) -> None:
    with pytest.raises(BoxUnreachableError, match=words):
        ask(tmp_path / "s", answer)


def test_a_socket_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BoxUnreachableError, match=r"page\.sock"):
        asyncio.run(BoxClient(tmp_path / "page.sock").state())


def test_what_the_box_refuses_keeps_its_reason(tmp_path: Path) -> None:
    with pytest.raises(BoxFailedError) as refused:
        ask(tmp_path / "s", p.encode(p.Failed(reason="busy", detail="why")))
    assert (refused.value.failed.reason, refused.value.failed.detail) == ("busy", "why")


def test_the_state_comes_as_it_was_sent(box: FakeBox) -> None:
    assert asyncio.run(BoxClient(box.socket).state()) == box.state
