"""A running box makes a new key when it is asked to: once, and whatever is cut off meanwhile."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Command, Side
from cleandesk.control import Rotation
from cleandesk.link import Paper
from cleandesk.worker.commands import Commands
from cleandesk_fleet.provision.errors import OfflineError
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import BIN
from tests.system.claim_rig import Box
from tests.system.provision_rig import PASSPHRASE, Site, failure
from tests.system.running_box import Log, RunningBox, a_desk_that_changes

pytestmark = [pytest.mark.system, needs_mosquitto]

MakeBox = Callable[..., RunningBox]


@pytest.fixture
def make_box(site: Site, tmp_path: Path) -> Iterator[MakeBox]:
    """Return a maker of claimed boxes; what still runs after the test is killed."""
    boxes: list[RunningBox] = []

    def make(name: str, **more: object) -> RunningBox:
        boxes.append(RunningBox(site, f"s1/{name}", tmp_path / name, **more))
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()


class Rotating:
    """`cleandesk-provision rotate`, as a process of its own."""

    def __init__(self, box: RunningBox, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [BIN / "cleandesk-provision", "rotate", box.name, *arguments, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ
            | {
                "CLEANDESK_PASSPHRASE": PASSPHRASE,
                "CLEANDESK_PROVISION": str(box.site.config),
            },
        )

    def done(self, code: int = 0) -> dict[str, Any]:
        """Wait for its end; returns what it said, or `{"error": …}`."""
        out, err = self._process.communicate(timeout=120)
        assert self._process.returncode == code, out + err
        said: dict[str, Any] = failure(out) if code else json.loads(out)
        return said


def test_a_running_box_rotates_and_no_event_is_lost(make_box: MakeBox, tmp_path: Path) -> None:
    box = make_box("rotates", **a_desk_that_changes(tmp_path / "desk"))
    first = box.serial
    with Log(box.site, tmp_path / "log") as log:
        box.started()
        for _ in range(3):
            known = len(log.events())
            eventually(lambda: len(log.events()) > known, "an event")  # noqa: B023
            before = box.serial
            said = Rotating(box).done()
            assert said["made"]
            assert said["serial"] == box.serial != before
            assert said["revoked"] == [before]
        known = len(log.events())
        eventually(lambda: len(log.events()) > known, "an event by the newest key")
        assert box.stop() == 0
        assert box.connects == 4
        seqs = [row["seq"] for row in log.events()]
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
        assert log.ask("losses") == []
        assert [row["kind"] for row in log.ask("alarms")] == []
    rows = {row["serial"]: row for row in box.site.run("list", "certificates")["certificates"]}
    assert rows[first]["reason"] == "a new key came"
    assert not box.box.home.next_key.exists()
    assert not (box.folder / "outbox.db.rotation").exists()


def test_the_old_key_opens_nothing_any_more(make_box: MakeBox, tmp_path: Path) -> None:
    box = make_box("leaves-its-key")
    files, old = box.files, tmp_path / "old.pem"
    old.write_bytes(box.box.home.box.read_bytes())
    box.started()
    Rotating(box).done()
    with pytest.raises(OSError, match="revoked"):
        box.site.try_broker(files.model_copy(update={"cert": old, "key": old}))
    assert box.site.try_broker(files)


def test_the_same_request_twice_makes_one_key(make_box: MakeBox) -> None:
    box = make_box("once").started()
    both = [Rotating(box, "--request", "monday") for _ in range(2)]
    serials = {one.done()["serial"] for one in both}
    again = Rotating(box, "--request", "monday").done()
    assert (again["made"], {again["serial"]}) == (False, serials)
    assert len(box.box.signed()) == 2
    assert Rotating(box, "--request", "tuesday").done()["made"]
    assert len(box.box.signed()) == 3
    assert len(box.answers()) == 2


def test_a_box_that_is_offline_is_told_plainly_and_brings_a_new_key_later(
    make_box: MakeBox,
) -> None:
    box = make_box("off")
    assert "s1/off is offline" in Rotating(box).done(OfflineError.code)["error"]
    box.started()
    box.stop()
    error = Rotating(box).done(OfflineError.code)["error"]
    assert "last said 'stopped' at 20" in error
    assert "give it power" in error
    before = box.serial
    box.started()
    assert Rotating(box).done()["serial"] == box.serial != before
    assert len(box.box.signed()) == 2


def test_a_service_that_is_away_is_named_and_the_present_key_stands(make_box: MakeBox) -> None:
    box = make_box("no-service", ack_timeout_s=60).started()
    before = box.serial
    box.site.stop_service()
    try:
        error = Rotating(box).done(10)["error"]
    finally:
        box.site.start_service()
    assert "failed" in error
    assert "service_away" in error
    assert (box.serial, box.connects) == (before, 1)
    assert Rotating(box).done()["serial"] == box.serial != before


def test_a_broker_that_is_away_meanwhile_delays_the_answer_only(make_box: MakeBox) -> None:
    box = make_box("no-broker", ack_timeout_s=60).started()
    box.site.broker.stop()
    try:
        assert "does not take the administrator" in Rotating(box).done(7)["error"]
    finally:
        box.site.broker.start()
    eventually(lambda: box.connects == 2, "the box's return")
    before = box.serial
    os.kill(box.site.service_pid, signal.SIGSTOP)
    asking = Rotating(box)
    try:
        eventually(box.record.exists, "the beginning")
        box.site.broker.stop()
    finally:
        os.kill(box.site.service_pid, signal.SIGCONT)
    eventually(lambda: box.serial != before, "the new key")
    box.site.broker.start()
    assert asking.done()["serial"] == box.serial
    assert len(box.box.signed()) == 2


def test_a_box_that_is_killed_in_the_middle_goes_on_and_answers(make_box: MakeBox) -> None:
    box = make_box("killed").started()
    os.kill(box.site.service_pid, signal.SIGSTOP)
    asking = Rotating(box)
    try:
        eventually(box.box.home.next_key.exists, "the new key")
        key = box.box.home.next_key.read_bytes()
        box.kill()
    finally:
        os.kill(box.site.service_pid, signal.SIGCONT)
    box.started()
    assert asking.done()["serial"] == box.serial
    assert key in box.box.home.box.read_bytes()
    assert len(box.answers()) == 1
    eventually(lambda: not box.record.exists(), "that it is forgotten, once it is answered")


def test_a_box_in_safe_mode_rotates_too(make_box: MakeBox) -> None:
    box = make_box("safe", safe_mode={"after_starts": 1, "healthy_after_s": 3600}).started()
    box.kill()
    box.started()
    assert "safe mode: nothing is looked at" in box.words
    said = Rotating(box, "--request", "safe").done()
    assert said["serial"] == box.serial
    box.kill()
    box.started()
    assert Rotating(box, "--request", "safe").done()["made"] is False
    assert len(box.box.signed()) == 2


def test_a_power_cut_at_any_operation_makes_one_key_and_gives_one_answer(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/cut-rotation", tmp_path)
    box.claim()
    cuts = 0
    for at in range(1, 100):
        before, record, said = box.home.current().serial, tmp_path / "rotation", tmp_path / "said"
        said.unlink(missing_ok=True)
        correlation = bytes([at])
        cut = box.cut(at, lambda: _live(box, record, said, correlation))  # noqa: B023
        cuts += cut
        _live(box, record, said, correlation)
        answer = json.loads(said.read_text().splitlines()[0])
        assert answer["outcome"] == "done"
        assert answer["serial"] == box.home.current().serial != before
        assert not record.exists()
        assert not box.home.next_key.exists()
        if not cut:
            break
    assert cuts > 15
    assert len(box.signed()) == cuts + 2, "the first, and one for each request"
    assert box.alarms() == []


def _live(box: Box, record: Path, said: Path, correlation: bytes) -> None:
    """Live as a box that is asked again and again until it has answered; answers are kept."""

    def say(paper: Paper) -> None:
        with said.open("ab") as file:
            file.write(paper.payload + b"\n")

    if said.exists() and said.read_bytes().endswith(b"\n"):
        record.unlink(missing_ok=True)  # as with the answer in the ledger
        return
    address = box.address
    commands = Commands(address, box.clock, say, room=1e6)
    rotation = Rotation(box.home, box.clock, record, lambda: None)
    rotation.serve(commands)
    rotation.resume(commands)
    topic = address.command(Command.ROTATE_KEY, Side.REQUEST)
    commands.take(Received(topic, b"{}", correlation=correlation), box.clock.now())
    eventually(lambda: said.exists() and not record.exists(), "the answer")
