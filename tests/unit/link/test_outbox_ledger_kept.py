"""What stays of the ledger: its age and size, a file of the version before, and damage."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cleandesk.link import LedgerUnreadableError
from cleandesk.link.ledger_file import read_only
from cleandesk.settings import LedgerSettings
from tests.unit.link.make import (
    FakeClock,
    acks,
    appeal,
    change,
    commit,
    commit_many,
    entries,
    everything,
    kinds,
    new_id,
    outbox,
    privacy,
)

V1 = Path(__file__).with_name("outbox_v1.db")  # written by the version without a ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def test_old_entries_go_and_the_chain_goes_on(path: Path) -> None:
    clock = FakeClock()
    box = outbox(path, clock=clock, keep=LedgerSettings(keep_days=10))
    for day in range(20):
        clock.mono = clock.started + day * 86_400
        box.note("day", str(day))
    box.tick()
    assert entries(box)[0].payload == b"9"
    verdict = box.verify()
    assert verdict.good
    assert (verdict.anchor.number, verdict.entries) == (9, 11)
    box.close()
    again = outbox(path, clock=clock, keep=LedgerSettings(keep_days=10))
    assert again.verify() == verdict
    again.note("day", "20")
    assert again.ledger(limit=1)[0].number == 21


def test_entries_are_not_aged_by_a_clock_that_was_never_set(path: Path) -> None:
    clock = FakeClock()
    box = outbox(path, clock=clock, keep=LedgerSettings(keep_days=10))
    box.note("n", "kept")
    clock.started -= 400 * 86_400
    clock.synced = False
    box.tick()
    assert kinds(box) == ["note"]
    clock.synced = True
    clock.mono += 3601
    box.tick()
    assert kinds(box) == []


def test_a_size_bounds_the_ledger(path: Path) -> None:
    box = outbox(path, keep=LedgerSettings(max_mb=0.1))
    for number in range(300):
        box.note("n", f"{number} " + "x" * 1000)
    for _ in range(3):
        box.tick()
    left = entries(box)
    assert 60 < len(left) < 100
    assert left[-1].number == 300
    assert box.verify().good


def test_what_waits_to_be_sent_keeps_its_entry(path: Path) -> None:
    clock = FakeClock()
    box = outbox(path, clock=clock, keep=LedgerSettings(keep_days=1))
    box.note("n", "before")
    box.say(appeal(new_id()))
    box.note("n", "after")
    clock.mono += 5 * 86_400
    box.tick()
    assert kinds(box) == ["appeal", "note"]
    box.settle(acks(box.papers(answered=True)))
    clock.mono += 3601
    box.tick()
    assert kinds(box) == []
    assert box.verify().good


def test_what_the_broker_still_holds_is_entered_anew(path: Path) -> None:
    clock = FakeClock()
    box = outbox(path, clock=clock, keep=LedgerSettings(keep_days=1))
    commit(box, change(id_ := new_id()))
    box.say(privacy())
    box.settle(acks(everything(box)))
    before = box.active()[id_].payload
    clock.mono += 5 * 86_400
    box.tick()
    assert sorted(kinds(box)) == ["active", "privacy"]
    numbers = {one.kind: one.number for one in entries(box)}
    assert (box.active()[id_].payload, box.active()[id_].entry) == (before, numbers["active"])
    newest = box.privacy()
    assert newest is not None
    assert newest.number == numbers["privacy"]


def test_a_file_of_the_version_before_gets_a_ledger(path: Path) -> None:
    shutil.copy(V1, path)
    with sqlite3.connect(path) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        waiting = old.execute("SELECT event_id, payload FROM events ORDER BY id").fetchall()
        open_ = dict(old.execute("SELECT violation_id, payload FROM active").fetchall())
    old.close()
    assert len(waiting) == 3
    box = outbox(path)
    assert box.state() == b'{"kept":1}'
    assert [(one.event_id, one.payload) for one in everything(box)] == waiting
    assert {id_: active.payload for id_, active in box.active().items()} == open_
    assert kinds(box) == ["violation"] * 3 + ["active"] * 3
    told = {one.number: one.payload for one in entries(box)}
    assert all(told[one.entry] == one.payload for one in everything(box))
    assert all(told[active.entry] == active.payload for active in box.active().values())
    assert box.verify().good
    box.close()
    again = outbox(path)
    assert len(entries(again)) == 6
    commit_many(again, 1)
    assert json.loads(everything(again)[-1].payload)["seq"] == 5


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 60])


def hole(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    needle = raw.index(b"number 150 ")
    start = needle // 4096 * 4096
    raw[start : start + 4096] = b"\xee" * 4096
    path.write_bytes(raw)


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [cut, hole, gone])
def test_a_damaged_ledger_keeps_what_can_be_read_and_says_what_is_missing(
    path: Path, damage: Callable[[Path], None]
) -> None:
    box = outbox(path)
    for number in range(300):
        box.note("n", f"number {number} " + "x" * 500)
    box.say(appeal(new_id()))
    before = {one.number: one for one in entries(box)}
    box.close()
    damage(path)
    again = outbox(path)
    *kept, note = entries(again)
    assert all(before[one.number] == one for one in kept)
    assert (note.kind, note.message_id, note.number) == ("note", "damage", 302)
    verdict = again.verify()
    assert verdict.good
    missing = {n for gap in verdict.gaps for n in range(gap.first, gap.last + 1)}
    assert missing == before.keys() - {one.number for one in kept}
    assert missing
    if any(one.kind == "appeal" for one in kept):
        assert len(again.papers(answered=True)) == 1
    again.note("n", "on")
    assert again.ledger(limit=1)[0].number == 303
    assert again.verify().good


def test_an_event_whose_entry_is_lost_is_entered_again_before_it_is_sent(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 30)
    box.close()
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM ledger WHERE number BETWEEN 5 AND 8")
        raw.execute("UPDATE events SET digest = x'00' WHERE seq = 20")
    raw.close()
    again = outbox(path)
    told = {one.number: one.payload for one in entries(again)}
    assert len(everything(again)) == 29
    assert all(told[one.entry] == one.payload for one in everything(again))
    assert all(told[one.entry] == one.payload for one in again.active().values())
    assert again.verify().good


def test_a_change_of_the_file_is_found(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 10)
    box.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE ledger SET topic = 'another' WHERE number = 7")
    raw.close()
    with read_only(path) as ledger:
        assert ledger.verify().wrong == 7
    again = outbox(path)
    assert (again.verify().wrong, again.verify().reason != "") == (7, True)


def test_another_process_reads_it_while_it_is_written(path: Path) -> None:
    box = outbox(path)
    for number in range(700):  # the WAL is begun anew several times
        box.note("n", f"{number}" + "x" * 300)
        if number % 100 == 0:
            with read_only(path) as ledger:
                assert ledger.verify().good
                assert [one.number for one in ledger.entries(limit=1)] == [number + 1]
    with read_only(path) as ledger:
        assert len(list(ledger.entries())) == 700


def test_a_file_without_a_ledger_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnreadableError, match="begins when the box starts"), read_only(V1):
        pass
    with (
        pytest.raises(LedgerUnreadableError, match=r"No such file.*check outbox\.path"),
        read_only(tmp_path / "none.db"),
    ):
        pass
