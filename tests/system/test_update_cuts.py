"""Power cuts in the middle of a fetched update; what the service sends of it, and to how many."""

import hashlib
import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.messages import timestamp
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Channel, Command, Side
from cleandesk.contract.update_messages import UpdateRequest
from cleandesk.control.software import Where
from cleandesk.control.updates import Means, Updates, record_of
from cleandesk.identity import fetching
from cleandesk.identity.fetching import Fetching
from cleandesk.link import Entry, Paper
from cleandesk.update.drop import Drop
from cleandesk.worker.commands import Commands
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.started import COMMITTED
from tests.system.claim_rig import Box
from tests.system.provision_rig import Site
from tests.unit.worker.make import BOOT

pytestmark = [pytest.mark.system, needs_mosquitto]

STEP = 1 if os.environ.get("ROUNDS") else 2
MIB = 2**20
#: More than all buffers between a service and who does not read hold.
LARGE = 64 * MIB


def _offer(site: Site, version: str, content: bytes) -> UpdateRequest:
    """Put something where boxes fetch it; nobody looks at a signature before the updater does."""
    folder, name = site.fleet().settings.artefacts, f"cleandesk-{version}.raucb"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return UpdateRequest(artefact=name, version=version, sha256=sha256, size=len(content))


def _where(folder: Path) -> Where:
    where = Where(
        folder / "system.conf", folder / "keyring", folder / "cmdline", folder / "committed", folder
    )
    where.cmdline.write_text(COMMITTED)
    where.system.write_text("[system]\ncompatible=box\nmin-bundle-version=0.1.0\n")
    where.keyring.touch()
    return where


def _live(box: Box, folder: Path, request: UpdateRequest, said: Path, correlation: bytes) -> None:
    """Live as a box that is asked again until it has answered, but for looking.

    Args:
        box: It.
        folder: For what it keeps.
        request: What it is asked.
        said: Its answers, a line each, which stand for its ledger.
        correlation: Of the request.
    """
    topic = box.address.command(Command.UPDATE, Side.RESPONSE)

    def say(paper: Paper) -> None:
        with said.open("ab") as file:
            file.write(paper.payload + b"\n")

    outbox, now = folder / "outbox.db", box.clock.now()
    known = [
        Entry(1, timestamp(now.utc), True, Channel.COMMAND, topic, correlation.hex(), line, b"")
        for line in (said.read_bytes() if said.exists() else b"").splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    means = Means(
        drop=Drop(folder / "update"),
        fetching=Fetching(box.home, box.clock, patience_s=30),
        note=lambda *_: None,
        boot=BOOT,
        where=_where(folder),
    )
    commands = Commands(box.address, box.clock, say, room=1e6)
    updates = Updates(outbox, box.clock, means)
    updates.serve(commands)
    commands.load(known)
    updates.begin(commands)
    if not known:
        asked = box.address.command(Command.UPDATE, Side.REQUEST)
        commands.take(Received(asked, request.to_json(), correlation=correlation), now)
    eventually(lambda: said.exists() and not record_of(outbox).exists(), "the answer")


def test_a_power_cut_at_any_operation_leaves_one_whole_bundle_and_one_answer(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PIECE", 100_000)  # so that there are several
    box, folder = Box(site, "s1/cut-update", tmp_path), tmp_path / "data"
    box.claim()
    (folder / "update").mkdir(parents=True)
    bundle = folder / "update" / "update.raucb"
    for at in range(1, 100, STEP):
        content = f"{at}".encode() * 120_000
        request = _offer(site, f"0.1.{at}", content)
        said = tmp_path / "said"
        said.unlink(missing_ok=True)
        correlation = bytes([at])
        cut = box.cut(at, lambda: _live(box, folder, request, said, correlation))  # noqa: B023
        # What lies there for the updater is whole, or does not lie there.
        assert not bundle.exists() or bundle.read_bytes() == content
        _live(box, folder, request, said, correlation)
        # Who asks once more is given the same one once more.
        (answer,) = (json.loads(line) for line in set(said.read_text().splitlines()))
        assert answer["outcome"] == "done", answer
        assert bundle.read_bytes() == content
        assert [path.name for path in bundle.parent.iterdir()] == [bundle.name]
        bundle.unlink()  # as the updater does
        if not cut:
            break
    assert at > 8


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Site]:
    """Return a service that one box may fetch from at once, eight parts a minute."""
    limits = {"requests_per_minute": 8, "fetches_at_once": 1, "longest_s": 300}
    home = tmp_path / "narrow"
    home.mkdir()
    with Site(home, enrolment=limits) as running:
        yield running


@contextmanager
def _asked(
    site: Site, name: str, files: TlsSettings | None, first: int, last: int
) -> Iterator[http.client.HTTPResponse]:
    """Ask for a part of a file; it is not read, and the connection open, until the end."""
    connection = http.client.HTTPSConnection(
        "localhost", site.port, context=site.context(files), timeout=60
    )
    try:
        headers = {"Range": f"bytes={first}-{last}"}
        connection.request("GET", f"/v1/artefacts/{name}", headers=headers)
        yield connection.getresponse()
    finally:
        connection.close()


def _read(answer: http.client.HTTPResponse) -> int:
    """Return how many bytes come."""
    count = 0
    while chunk := answer.read(MIB):
        count += len(chunk)
    return count


def _get(
    site: Site, name: str, files: TlsSettings | None, first: int, last: int
) -> tuple[int, int]:
    """Ask for a part of a file; returns status and bytes."""
    with _asked(site, name, files, first, last) as answer:
        return answer.status, _read(answer)


def test_who_is_one_too_many_is_told_to_come_later_and_does(narrow: Site, tmp_path: Path) -> None:
    one = _offer(narrow, "0.1.1", bytes(LARGE))
    first = narrow.enrol("s1/first")
    second = Box(narrow, "s1/second", tmp_path / "second")
    second.claim()
    waits: list[float] = []

    with _asked(narrow, one.artefact, first.files, 0, LARGE - 1) as inside:

        def pause(seconds: float) -> None:
            """Wait, and have the other one go meanwhile."""
            waits.append(seconds)
            _read(inside)
            # For 10 s its place is kept, from when the service sees that it is gone.
            threading.Event().wait(20.0)

        path = tmp_path / "fetched"
        Fetching(second.home, second.clock, patience_s=600, pause=pause).fetch(
            one.artefact, 1000, path
        )
    assert path.read_bytes() == bytes(1000)
    assert len(waits) == 1
    assert 15 <= waits[0] <= 25


def test_a_crowd_is_told_to_wait_and_a_claim_is_answered_meanwhile(narrow: Site) -> None:
    one = _offer(narrow, "0.1.1", bytes(LARGE))
    first, *crowd = (narrow.enrol(f"s1/crowd-{number}") for number in range(4))
    with _asked(narrow, one.artefact, first.files, 0, LARGE - 1) as inside:
        assert inside.status == 206
        for box in crowd:
            with _asked(narrow, one.artefact, box.files, 0, 9) as turned_away:
                assert turned_away.status == 503
                assert int(turned_away.headers["Retry-After"]) >= 15
        narrow.enrol("s1/claims")
        assert _read(inside) == LARGE, "it was inside all the while"


def test_who_fetches_too_often_waits_and_nobody_else_does(narrow: Site) -> None:
    one = _offer(narrow, "0.1.1", b"x" * 1000)
    box = narrow.enrol("s1/often")
    parts, began = list[int](), time.monotonic()
    while 429 not in parts and len(parts) < 30:
        parts.append(_get(narrow, one.artefact, box.files, len(parts), len(parts))[0])
    # Eight a minute: while a slow machine asks, one more comes to be allowed every 7.5 s.
    assert 8 <= len(parts) - 1 <= 8 + (time.monotonic() - began) / 7.5
    assert parts == [206] * (len(parts) - 1) + [429]
    narrow.enrol("s1/other")  # from the same address


def test_a_model_does_not_wait_for_the_update_of_the_same_box(tmp_path: Path) -> None:
    home = tmp_path / "wide"
    home.mkdir()
    with Site(home, enrolment={"fetches_at_once": 5, "longest_s": 300}) as site:
        one = _offer(site, "0.1.1", bytes(LARGE))
        (site.fleet().settings.artefacts / "desk-1.cdmodel").write_bytes(b"model")
        box = site.enrol("s1/both")
        with _asked(site, one.artefact, box.files, 0, LARGE - 1) as inside:
            assert inside.status == 206
            assert _get(site, "desk-1.cdmodel", box.files, 0, 4) == (206, 5)
            assert _get(site, one.artefact, box.files, 0, 4)[0] == 503, "not twice the same"


def test_only_boxes_that_are_let_in_are_given_one(site: Site) -> None:
    one = _offer(site, "0.1.1", b"x" * 1000)
    assert _get(site, one.artefact, None, 0, 9)[0] == 401
    gone = site.enrol("s1/gone")
    site.run("revoke", "s1/gone")
    assert _get(site, one.artefact, gone.files, 0, 9)[0] == 400


def _memory_kib(pid: int) -> int:
    """Return the most memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def test_a_large_one_is_sent_from_the_disk_and_not_kept_in_memory(site: Site) -> None:
    folder, size = site.fleet().settings.artefacts, 290 * MIB
    folder.mkdir(exist_ok=True)
    with (folder / "large.raucb").open("wb") as file:
        file.truncate(size)
    box = site.enrol("s1/large")
    _get(site, "large.raucb", box.files, 0, 9)
    before = _memory_kib(site.service_pid)
    assert _get(site, "large.raucb", box.files, 0, LARGE - 1) == (206, LARGE)
    assert _memory_kib(site.service_pid) - before < 16 * 1024
