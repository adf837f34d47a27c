"""The socket: who may come, how much, and that nobody can hold it up."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk.clock import Instant
from cleandesk.settings import PresenceRule
from cleandesk.worker import protocol as p
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.sight import Sight
from cleandesk.worker.socket import MOST_CLIENTS, MOST_REQUEST, SocketServer
from tests.eventually import eventually
from tests.page_client import PageClient
from tests.unit.policy.traces import NAMES, PHONE_AT, ZONES, frame
from tests.unit.worker.make import START

RULE = PresenceRule(name="no-phone", zone="desk", classes=["phone"], min_score=0.5)


class Served:
    """A server and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "page.sock"
        self.asked: list[p.Request] = []
        self.drawings = Drawings(Sight([RULE], NAMES, lambda _: 0.5), ZONES["desk"], ZONES)
        self.server = SocketServer(self.path, None, self._answer, self.drawings)

    def _answer(self, request: p.Request) -> p.Line:
        self.asked.append(request)
        if isinstance(request, p.GetStatement):
            raise TypeError("a mistake of ours")
        return p.Done()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    assert made.server.start()
    yield made
    made.server.stop()
    assert not made.path.exists()


def test_requests_are_answered_in_their_order(served: Served) -> None:
    with PageClient(served.path) as page:
        page.send(p.encode(p.StopAiming()) + p.encode(p.TellIdle(input_age_s=3)))
        assert page.receive() == page.receive() == p.Done()
    assert served.asked == [p.StopAiming(), p.TellIdle(input_age_s=3)]


def test_only_the_boxs_own_user_and_group_may_use_the_file(served: Served) -> None:
    assert stat.S_IMODE(served.path.stat().st_mode) == 0o660


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_stranger_is_sent_away_even_if_the_file_would_let_them(served: Served) -> None:
    served.path.chmod(0o666)
    for folder in list(served.path.parents)[:3]:
        folder.chmod(0o755)
    code = (
        "import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534); "
        "s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); "
        's.sendall(b\'{"ask":"state"}\\n\'); print(s.recv(99))'
    )
    told = subprocess.run(
        [sys.executable, "-c", code, served.path], capture_output=True, text=True, check=False
    )
    assert "b''" in told.stdout or "Error" in told.stderr
    assert served.asked == []


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"\xff\xfe\n", b'{"ask":"state","more":1}\n'])
def test_what_is_no_request_is_told_so_and_the_next_one_is_served(
    served: Served, line: bytes
) -> None:
    with PageClient(served.path) as page:
        page.send(line)
        wrong = page.receive()
        assert isinstance(wrong, p.Failed)
        assert wrong.reason == "invalid"
        assert page.ask(p.StopAiming()) == p.Done()


def test_a_line_without_an_end_ends_its_connection_alone(served: Served) -> None:
    with PageClient(served.path) as rude, PageClient(served.path) as page:
        rude.send(b"x" * (MOST_REQUEST + 1))
        assert isinstance(rude.receive(), p.Failed)
        assert rude.receive() is None
        assert page.ask(p.StopAiming()) == p.Done()


def test_a_mistake_of_ours_ends_its_connection_alone(served: Served) -> None:
    with PageClient(served.path) as unlucky, PageClient(served.path) as page:
        unlucky.send(p.encode(p.GetStatement()))
        assert unlucky.receive() is None
        assert page.ask(p.StopAiming()) == p.Done()


def test_there_is_room_for_few_and_again_once_they_left(served: Served) -> None:
    pages = [PageClient(served.path) for _ in range(MOST_CLIENTS)]
    for page in pages:
        assert page.ask(p.StopAiming()) == p.Done()
    with PageClient(served.path) as late:
        assert late.receive() is None
    for page in pages:
        page.close()

    def next_one_is_served() -> bool:
        with PageClient(served.path) as next_one:
            with contextlib.suppress(BrokenPipeError):  # it was sent away: they are leaving
                next_one.send(p.encode(p.StopAiming()))
            return next_one.receive() == p.Done()

    eventually(next_one_is_served)


def test_who_watches_gets_the_newest_look_and_who_does_not_read_holds_up_nobody(
    served: Served,
) -> None:
    done = threading.Event()

    def look() -> None:
        number = 0
        while not done.wait(0.01):
            number += 1
            at = Instant(1000.0 + number, START, synced=True)
            served.drawings.put(frame(("phone", 0.9, PHONE_AT), ("cup", 0.4, PHONE_AT)), at)

    looking = threading.Thread(target=look)
    looking.start()
    with PageClient(served.path) as watching, PageClient(served.path) as slow:
        for client in (watching, slow):
            client.send(p.encode(p.Watch()))
        shown = [line for line in (watching.receive(), watching.receive()) if line]
    done.set()
    looking.join(20)
    assert isinstance(shown[0], p.Drawing)
    assert isinstance(shown[1], p.Drawing)
    assert [box.believed for box in shown[0].boxes] == [True, False]
    assert shown[0].area == ZONES["desk"].polygon
    assert served.asked == []


def test_a_socket_that_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "page.sock"))
    left.close()
    served = Served(tmp_path)
    assert served.server.start()
    with PageClient(served.path) as page:
        assert page.ask(p.StopAiming()) == p.Done()
    served.server.stop()


def test_a_socket_of_another_box_that_runs_is_left_to_it(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    second = Served(served.path.parent)
    assert not second.server.start()
    assert "another process listens" in str(caplog.records[-1].__dict__["fix"])
    second.server.stop()
    with PageClient(served.path) as page:
        assert page.ask(p.StopAiming()) == p.Done()
    assert (served.asked, second.asked) == ([p.StopAiming()], [])


@pytest.mark.parametrize("name", ["x" * 120, "missing/page.sock"])
def test_a_socket_that_cannot_be_made_is_said_and_stops_nothing(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = Served(tmp_path)
    server = SocketServer(tmp_path / name, None, made._answer, made.drawings)
    assert not server.start()
    assert "the worker's page cannot reach the box" in caplog.text
    server.stop()
