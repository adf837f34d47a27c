"""A request for a new key where there is none to be had, or where one is at work."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cleandesk import durable
from cleandesk.contract.connection import BrokerSettings, TlsSettings
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Command, Side
from cleandesk.control import Rotation
from cleandesk.identity import files
from cleandesk.identity.home import Home
from cleandesk.link import Paper
from cleandesk.worker.commands import Commands
from tests.eventually import eventually
from tests.unit.control.threads import at_work
from tests.unit.worker.make import SetClock

ADDRESS = Address("site", "box")
RESPONSE = ADDRESS.command(Command.ROTATE_KEY, Side.RESPONSE)


@dataclass
class Rig:
    """A box that is asked for a new key, and what it said."""

    record: Path
    home: Home | None
    patience_s: float = 0.0
    said: list[Paper] = field(default_factory=list)
    reconnects: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = SetClock()
        self.clock, self.commands = clock, Commands(ADDRESS, clock, self.said.append, room=1e6)
        self.rotation = Rotation(
            self.home,
            clock,
            self.record,
            lambda: self.reconnects.append(True),
            patience_s=self.patience_s,
        )
        self.rotation.serve(self.commands)

    def ask(self, correlation: bytes = b"1") -> None:
        topic = ADDRESS.command(Command.ROTATE_KEY, Side.REQUEST)
        self.commands.take(Received(topic, b"{}", correlation=correlation), self.clock.now())

    def answers(self, count: int) -> list[dict[str, Any]]:
        eventually(lambda: len(self.said) >= count, f"{count} answers")
        return [json.loads(paper.payload) for paper in self.said]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Rig]:
    def made(*, claimed: bool = True, **more: Any) -> Rig:
        home = Home(tmp_path / "etc") if claimed else None
        return Rig(tmp_path / "outbox.db.rotation", home, **more)

    return made


def test_a_box_that_was_never_claimed_says_so_and_stays_on_the_line(
    make: Callable[..., Rig],
) -> None:
    for number, claimed in enumerate((False, True), 1):
        rig = make(claimed=claimed)
        rig.ask(b"%d" % number)
        (answer,) = rig.answers(1)
        assert answer["outcome"] == "failed"
        assert "claim" in answer["detail"] or "not_claimed" in answer["detail"]
        assert "serial" not in answer
        assert (rig.reconnects, rig.record.exists()) == ([], False)


def test_a_second_request_meanwhile_is_told_to_come_again(make: Callable[..., Rig]) -> None:
    rig = make(patience_s=30)
    assert rig.home is not None
    rig.home.folder.mkdir()
    with files.folder(rig.home.identity):
        rig.home.box.mkdir()  # unreadable: a disk that may come back
        rig.ask(b"1")
        rig.ask(b"2")
        (answer,) = rig.answers(1)
        assert answer["outcome"] == "busy"
        assert rig.said[0].correlation == b"2"
        rig.home.box.rmdir()
    outcomes = [one["outcome"] for one in rig.answers(2)]
    assert outcomes == ["busy", "failed"]


@pytest.mark.parametrize("content", [b"", b"nonsense", b'{"correlation": "zz"}'])
def test_a_record_that_nobody_can_read_is_nobodys_request(
    make: Callable[..., Rig], content: bytes
) -> None:
    rig = make()
    if content:
        durable.write(rig.record, content)
    else:
        rig.record.write_bytes(b"half")
    rig.rotation.resume(rig.commands)
    rig.ask()
    assert [one["outcome"] for one in rig.answers(1)] == ["failed"]


def test_a_request_that_was_answered_before_a_kill_is_not_answered_again(
    make: Callable[..., Rig],
) -> None:
    rig = make()
    rig.ask(b"\x01\xff")
    rig.answers(1)
    eventually(lambda: not at_work("rotate key"), "the end of the first one's thread")
    begun = {"correlation": "01ff", "topic": RESPONSE, "serial": "0"}
    durable.write(rig.record, json.dumps(begun).encode())
    rig.rotation.resume(rig.commands)
    assert not rig.record.exists()
    assert len(rig.said) == 1
    assert not at_work("rotate key")


def test_a_home_is_of_a_key_that_a_claim_made(tmp_path: Path) -> None:
    home = Home(tmp_path)

    def of(cert: Path, key: Path) -> Home | None:
        return Home.of(BrokerSettings(tls=TlsSettings(ca=home.root, cert=cert, key=key)))

    found = of(home.box, home.box)
    assert found is not None
    assert found.identity == home.identity
    assert of(tmp_path / "box.pem", tmp_path / "box.key") is None
    assert Home.of(BrokerSettings()) is None
