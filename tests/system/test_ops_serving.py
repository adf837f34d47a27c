"""The page's process: where it listens, what it says when it cannot, and how it ends."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from cleandesk_fleet.subscriber.database import open_writer
from tests.eventually import PATIENCE_S, eventually
from tests.mosquitto import free_port
from tests.system.subscriber_rig import PROGRAM

pytestmark = pytest.mark.system

URL = "https://ops.example.org"
PROXY = {"roles": {"viewer": ["ops"]}}
ANN = {"X-Forwarded-Email": "ann@example.org", "X-Forwarded-Groups": "ops"}


class Process:
    """`cleandesk-subscriber web run` with these settings, on an empty log."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self._home = home
        if not (home / "log.db").exists():
            open_writer(home / "log.db").dispose()
        config = home / "web.yaml"
        given = {"schema": 1, "url": URL, "store": {"path": "log.db"}} | settings
        config.write_text(yaml.safe_dump(given), encoding="utf-8")
        with (home / "words").open("wb") as words:
            self._process = subprocess.Popen(
                [PROGRAM, "web", "run", "--config", config], stdout=words, stderr=words
            )

    @property
    def words(self) -> str:
        return (self._home / "words").read_text(encoding="utf-8")

    def started(self) -> "Process":
        eventually(lambda: "page started" in self.words or self._process.poll() is not None)
        assert "page started" in self.words, self.words
        return self

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        self._process.terminate()
        return self.ended()

    def ended(self) -> int:
        return self._process.wait(PATIENCE_S)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "page.sock"


@pytest.fixture
def on_socket(tmp_path: Path, place: Path) -> Iterator[Process]:
    process = Process(tmp_path, listen={"socket": place.name}, proxy=PROXY).started()
    yield process
    process.kill()


def over(place: Path, **headers: str) -> httpx2.Response:
    transport = httpx2.HTTPTransport(uds=str(place))
    with httpx2.Client(transport=transport, base_url="http://ops.example.org") as client:
        return client.get("/", headers=headers)


def test_on_a_unix_socket_the_proxys_word_counts(on_socket: Process, place: Path) -> None:
    assert on_socket
    assert place.stat().st_mode & 0o777 == 0o660
    page = over(place, **ANN)
    assert page.status_code == 200
    assert "ann@example.org" in page.text
    assert over(place).status_code == 401


def test_it_ends_in_order_and_leaves_no_socket(on_socket: Process, place: Path) -> None:
    assert on_socket.stop() == 0
    assert not place.exists()
    assert "Traceback" not in on_socket.words


def test_a_socket_that_a_killed_one_left_is_taken_over(
    tmp_path: Path, on_socket: Process, place: Path
) -> None:
    on_socket.kill()
    assert place.is_socket()
    again = Process(tmp_path, listen={"socket": "page.sock"}, proxy=PROXY).started()
    assert over(place, **ANN).status_code == 200
    assert again.stop() == 0


def test_two_do_not_share_a_socket(tmp_path: Path, on_socket: Process, place: Path) -> None:
    second = Process(tmp_path, listen={"socket": "page.sock"}, proxy=PROXY)
    assert second.ended() == 1
    assert "end who listens there" in second.words
    assert on_socket
    assert over(place, **ANN).status_code == 200


def test_a_port_in_use_is_told_with_a_fix(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = Process(tmp_path, listen={"port": taken.getsockname()[1]})
        assert process.ended() == 1
    assert "Address already in use; end who listens there" in process.words


def test_a_certificate_that_is_none_is_told_with_a_fix(tmp_path: Path) -> None:
    (tmp_path / "ops.pem").write_text("nothing", encoding="ascii")
    process = Process(tmp_path, listen={"port": free_port(), "cert": "ops.pem", "key": "ops.pem"})
    assert process.ended() == 1
    assert "give a readable PEM certificate and its own unlocked key" in process.words
    assert "Traceback" not in process.words
