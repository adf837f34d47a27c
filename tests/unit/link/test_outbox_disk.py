"""The outbox on a disk that is full, or fails."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cleandesk.contract.health import OutboxHealth
from cleandesk.link import Outbox, book
from tests.unit.link.make import (
    FakeClock,
    acks,
    change,
    closed,
    commit,
    commit_many,
    everything,
    new_id,
    outbox,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def fill(box: Outbox) -> None:
    """Let the database take no more pages: SQLite then says that the disk is full."""
    assert box._store is not None
    (pages,) = box._store._db.execute("PRAGMA page_count").fetchone()
    box._store._db.execute(f"PRAGMA max_page_count = {pages}")
    while box.health().storage == "ok":
        commit(box, change())


def make_room(box: Outbox) -> None:
    assert box._store is not None
    box._store._db.execute("PRAGMA max_page_count = 1000000")


def seqs(box: Outbox) -> list[int]:
    return [json.loads(one.payload)["seq"] for one in everything(box)]


def test_a_full_disk_raises_nothing_and_is_told(path: Path) -> None:
    box = outbox(path)
    fill(box)
    committed = len(everything(box))
    commit(box, change(), state=b'{"newest": true}')
    assert box.health().storage == "full"
    assert box.health().depth == committed + 2
    assert box.state() == b'{"newest": true}'


def test_what_waits_in_memory_is_not_sent_before_it_is_committed(path: Path) -> None:
    box = outbox(path)
    fill(box)
    before = everything(box)
    commit(box, change(id_ := new_id()))
    assert everything(box) == before
    assert id_ not in box.active()
    make_room(box)
    box.tick()
    assert everything(box)[: len(before)] == before
    assert seqs(box) == list(range(1, len(before) + 3))
    assert id_ in box.active()
    assert box.health().storage == "ok"


def test_someone_who_listens_hears_of_what_is_committed_late(path: Path) -> None:
    box = outbox(path)
    fill(box)
    heard: list[int] = []
    box.listen(lambda: heard.append(1))
    box.tick()
    assert not heard
    make_room(box)
    box.tick()
    assert heard == [1]


def test_what_neither_disk_nor_memory_takes_is_reported_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "MAX_IN_MEMORY", 5)
    box = outbox(path)
    fill(box)
    committed = len(everything(box))
    commit_many(box, 9)  # one waited before: 10, of which 5 stay
    (lost,) = box.health().lost_ranges
    assert (lost.first, lost.last, lost.reason) == (committed + 1, committed + 5, "disk")
    make_room(box)
    box.tick()
    assert seqs(box) == [*range(1, committed + 1), *range(committed + 6, committed + 11)]
    box.close()
    assert outbox(path).health().lost_ranges == [lost]


def test_what_memory_held_when_the_process_died_is_reported_lost(path: Path) -> None:
    box = outbox(path)
    fill(box)
    committed = len(everything(box))
    commit_many(box, 3)
    epoch = box.epoch
    box._book.queue.clear()  # as a killed process does
    box._let_go()
    box.close()

    again = outbox(path)
    (lost,) = again.health().lost_ranges
    assert (lost.epoch, lost.first, lost.last) == (epoch, committed + 1, committed + 4)
    commit(again, change())
    assert seqs(again)[-1] == committed + 5


def test_answers_count_while_the_disk_is_full(path: Path) -> None:
    box = outbox(path)
    fill(box)
    first, *others = everything(box)
    assert box.settle(acks([first])) == {first.event_id}
    assert everything(box)[: len(others)] == others
    make_room(box)
    box.tick()
    box.close()
    assert first not in everything(outbox(path))


def test_what_opens_and_closes_while_the_disk_is_full_leaves_no_ghost(path: Path) -> None:
    box = outbox(path)
    fill(box)
    commit(box, change(id_ := new_id()))
    commit(box, closed(id_))
    make_room(box)
    box.tick()
    assert id_ not in box.active()
    assert seqs(box) == list(range(1, box.health().next_seq))


def test_a_failing_disk_is_opened_anew_when_it_is_back(path: Path) -> None:
    clock = FakeClock()
    box = outbox(path, clock=clock)
    commit_many(box, 3)
    assert box._store is not None
    box._store._db.execute("PRAGMA query_only = ON")  # as a disk that became read-only
    commit(box, change())
    assert box.health().storage == "failing"
    assert len(everything(box)) == 3
    clock.mono += 60
    box.tick()
    assert box.health().storage == "ok"
    assert seqs(box) == [1, 2, 3, 4]
    assert box.health().lost == 0


def test_a_start_on_a_disk_that_takes_nothing_works_from_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox(path).close()
    earlier = outbox(path)
    commit_many(earlier, 4)
    kept = everything(earlier)
    earlier.close()
    clock = FakeClock()
    with monkeypatch.context() as broken:
        broken.setattr(
            "cleandesk.link.schema.connect",
            lambda _: (_ for _ in ()).throw(_io_error()),
        )
        box = outbox(path, clock=clock)
        commit(box, change(id_ := new_id()))
        assert (box.health().storage, box.health().depth) == ("failing", 1)
        assert everything(box) == []
    clock.mono += 60
    box.tick()
    assert everything(box)[:4] == kept
    assert len(everything(box)) == 5
    assert id_ in box.active()
    assert box.health().storage == "ok"


def _io_error() -> sqlite3.Error:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return error


def test_a_real_limit_of_the_file_system_loses_only_what_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    child = subprocess.run(
        [sys.executable, "-m", "tests.unit.link.committer", str(path), str(600_000)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = child.stdout.splitlines()
    during, after = (OutboxHealth.model_validate_json(line) for line in lines[-2:])
    assert during.storage != "ok"
    assert during.lost > 0
    assert after.storage == "ok"
    said = [line.split() for line in lines[:-2]]
    told = {event_id for _, seq, event_id in said if seq != "0"}
    settled = {event_id for _, seq, event_id in said if seq == "0"}
    box = outbox(path)
    waiting = {one.event_id: json.loads(one.payload)["seq"] for one in everything(box)}
    assert told - settled <= waiting.keys()
    lost = {
        seq
        for one in box.health().lost_ranges
        for seq in range(one.first, one.last + 1)
        if one.epoch == box.epoch
    }
    first = min([*waiting.values(), *lost])
    assert {*waiting.values(), *lost} >= set(range(first, after.next_seq))
