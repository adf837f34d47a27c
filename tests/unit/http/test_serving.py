"""How every page is served, by a real server."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from cleandesk.http import serving
from tests.eventually import eventually

HEAR_S = 0.4
#: Where a whole request must come within it; uvicorn itself ends idle connections after 30.
PATIENT_S = 20.0
REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"4 bytes"


class Loop(asyncio.SelectorEventLoop):
    """The server's, whose time can pass at once: then nobody has to be quick, or to wait."""

    passed_s = 0.0

    def time(self) -> float:
        return super().time() + self.passed_s

    def let_pass(self, seconds: float) -> None:
        self.passed_s += seconds


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Take in a request, think for longer than one may take to come, and answer."""
    body = await Request(scope, receive).body()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    loop.let_pass(serving.HEAR_S)
    await asyncio.sleep(0.1)
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def port(
    request: pytest.FixtureRequest, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    """A server that waits so long for a request: by default `HEAR_S`."""
    monkeypatch.setattr(serving, "HEAR_S", getattr(request, "param", HEAR_S))
    server = uvicorn.Server(serving.config(app, most_connections=8, goodbye_s=1))
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(server.serve(sockets=[listener]))

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: server.started)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


def is_over(connection: socket.socket, more: bytes = b"") -> bool:
    """Send some more, and say whether the other side ended a connection, without an answer."""
    try:
        connection.sendall(more)
        return connection.recv(1000) == b""
    except (BrokenPipeError, ConnectionResetError):
        return True


def hear(connection: socket.socket) -> bytes:
    """Return what comes, up to the end of one answer."""
    answer = b""
    while ANSWER not in answer:
        part = connection.recv(1000)
        assert part, f"the other side ended it after {answer!r}"
        answer += part
    return answer


@pytest.mark.parametrize("port", [PATIENT_S], indirect=True)
def test_a_whole_request_is_answered_however_long_that_takes(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(2):
            connection.sendall(REQUEST)
            assert hear(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("begun", [b"", REQUEST[:10], REQUEST[:-2], b"GET / HTTP/1.1\r\nA: "])
def test_one_that_does_not_come_to_an_end_is_not_waited_for(port: int, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        assert is_over(connection, begun)


def test_whoever_sends_a_byte_now_and_then_gains_nothing(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for part in (b"GET / HTTP/1.1\r\nA: ", *[b"x"] * 1000):
            try:
                connection.sendall(part)
            except OSError:
                break
            time.sleep(HEAR_S / 20)
        else:
            pytest.fail("it was listened to for ever")


@pytest.mark.parametrize("port", [PATIENT_S], indirect=True)
def test_a_second_request_that_does_not_come_to_an_end_is_not_waited_for(
    port: int, loop: Loop
) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(REQUEST + REQUEST[:20])
        hear(connection)
        loop.call_soon_threadsafe(loop.let_pass, PATIENT_S)
        assert is_over(connection)


def test_a_signal_that_comes_before_the_server_listens_to_it_ends_it_too() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    server = uvicorn.Server(serving.config(app, most_connections=8, goodbye_s=1))
    try:
        serving.end_by_signals(server)
        signal.raise_signal(signal.SIGTERM)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            asyncio.run(asyncio.wait_for(server.serve(sockets=[listener]), 60))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
