"""The MQTT session against what mosquitto cannot be brought to say: a broker made of bytes."""

import gc
import logging
import socket
import struct
import threading
from pathlib import Path
from typing import Self

import pytest

from cleandesk.contract import wire
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.ending import End
from cleandesk.contract.mqtt import Publication, Session
from tests.contract.recorder import Recorder, settings
from tests.eventually import eventually

CONNACK_OK = b"\x20\x03\x00\x00\x00"
TAKEN_OVER = b"\xe0\x01\x8e"


def connack(code: int) -> bytes:
    return b"\x20\x03\x00" + struct.pack("B", code) + b"\x00"


class Script:
    """Accepts connections and answers each CONNECT, SUBSCRIBE or PUBLISH with given bytes."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            with peer:
                try:
                    self._talk(peer)
                except OSError:
                    continue

    def _talk(self, peer: socket.socket) -> None:
        for answer in self._answers:
            if not peer.recv(4096):
                return
            peer.sendall(answer)
        while peer.recv(4096):
            pass


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize(
    ("code", "fix"),
    [(0x87, "common name"), (0x86, "broker.tls.cert"), (0x84, "MQTT 5"), (0x89, "load")],
)
def test_a_refusal_is_told_with_its_fix_and_tried_again(
    code: int, fix: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Script(connack(code)) as script, Recorder(settings(script.port), "c") as here:
        eventually(lambda: script.connections >= 3)
        assert here.connects == 0
        assert not here.session.connected
    told = [one for one in caplog.records if one.__dict__.get("code") == code]
    assert told
    assert all(fix in one.__dict__["fix"] for one in told)


def test_what_a_connection_held_open_is_closed_without_the_collector() -> None:
    gc.disable()  # it comes as seldom as the process likes
    try:
        with Script(connack(0x89)) as script, Recorder(settings(script.port), "c"):
            eventually(lambda: script.connections >= 3)
            before = _open_files()
            eventually(lambda: script.connections >= 23)
            assert _open_files() - before < 10
    finally:
        gc.enable()


def test_a_subscription_that_is_not_granted_is_no_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    not_authorized = b"\x90\x04\x00\x01\x00\x87"
    with (
        Script(CONNACK_OK, not_authorized) as script,
        Recorder(settings(script.port), "c", subscriptions=["secret/#"]) as here,
    ):
        eventually(lambda: script.connections >= 2)
        assert here.connects == 0
    assert any("'secret/#'" in one.getMessage() for one in caplog.records)


def test_a_look_that_is_not_granted_ends_no_connection() -> None:
    granted, denied = b"\x90\x04\x00\x01\x00\x01", b"\x90\x04\x00\x02\x00\x87"
    word = b"\x30\x04\x00\x01t\x00"
    with (
        Script(CONNACK_OK, granted, denied + word) as script,
        Recorder(settings(script.port), "c", subscriptions=["own/#"]) as here,
    ):
        here.connected()
        here.session.look("secret/+")
        eventually(lambda: here.received)  # it came after the refusal
        assert here.session.connected
        assert here.disconnects == 0


def _told(caplog: pytest.LogCaptureFixture, words: str) -> list[logging.LogRecord]:
    """Wait for log messages that say this: a session logs an end after `on_disconnect`, if ever."""

    def found() -> list[logging.LogRecord]:
        return [one for one in list(caplog.records) if words in one.getMessage()]

    eventually(found, f"the word: {words}")
    return found()


def test_being_taken_over_is_told_with_its_fix(caplog: pytest.LogCaptureFixture) -> None:
    with (
        Script(CONNACK_OK, TAKEN_OVER) as script,
        Recorder(settings(script.port), "c") as here,
    ):
        here.connected()
        here.session.publish(Publication("t", b""))
        (told,) = _told(caplog, "two boxes with one address")
    assert told.__dict__["code"] == 142
    assert "two boxes with one address" in told.__dict__["fix"]


def test_a_broker_that_pings_back_and_never_answers_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pong = b"\xd0\x00"
    with Script(CONNACK_OK, b"", *[pong] * 20) as script:
        impatient = settings(script.port).model_copy(update={"keepalive_s": 1})
        with Recorder(impatient, "c") as here:
            here.connected()
            here.session.publish(Publication("t", b""))
            assert _told(caplog, "no answer to a message for 2 s")
            assert here.disconnects


def test_a_port_that_accepts_and_says_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wire, "HANDSHAKE_S", 0.2)
    with Script() as script, Recorder(settings(script.port), "c"):
        eventually(lambda: script.connections >= 2)
    assert any("accepts and does not answer" in one.getMessage() for one in caplog.records)


def test_the_wait_grows_and_is_the_longest_for_one_who_was_taken_over() -> None:
    broker = BrokerSettings(port=1, retry_min_s=1, retry_max_s=60)
    session = Session(broker, "c")
    waits = [session._wait_s(failures, End("", "")) for failures in range(100)]
    assert all(0.5 <= wait <= 60 for wait in waits)
    assert waits[0] <= 1
    assert min(waits[10:]) >= 30
    assert session._wait_s(0, End("", "", code=142)) >= 30


@pytest.mark.parametrize(
    "nonsense", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 64, b"\xff" * 64, b"\x20\x00"]
)
def test_nonsense_from_the_other_side_does_no_harm(nonsense: bytes) -> None:
    with Script(nonsense) as script, Recorder(settings(script.port), "c") as here:
        eventually(lambda: script.connections >= 1)
        assert here.session.callback_errors == 0
        assert here.session._thread.is_alive()
