"""The outbox whose file was damaged while it was closed, or under its feet."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cleandesk.contract.messages import Phase, ViolationEvent
from cleandesk.link import Outbox
from cleandesk.link.records import Pending
from tests.unit.link.make import (
    FakeClock,
    acks,
    change,
    commit,
    commit_many,
    everything,
    new_id,
    outbox,
)

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def filled(path: Path, count: int = 60, settled: int = 5) -> list[Pending]:
    """Return what waits in a file that is closed."""
    box = outbox(path)
    commit_many(box, count)
    box.settle(acks(everything(box)[:settled]))
    waiting = everything(box)
    box.close()
    return waiting


def asides(path: Path) -> list[Path]:
    return sorted(path.parent.glob("outbox.db.corrupt-*"))


def assert_nothing_is_lost_in_silence(box: Outbox, before: list[Pending]) -> None:
    after = {one.event_id: one.payload for one in everything(box)}
    originals = {one.event_id: one.payload for one in before}
    assert after.items() <= originals.items()
    lost = [(one.epoch, one.first, one.last) for one in box.health().lost_ranges]
    for one in before:
        event = json.loads(one.payload)
        reported = any(
            epoch == event["epoch"] and first <= event["seq"] <= last for epoch, first, last in lost
        )
        assert one.event_id in after or reported


def garbage(path: Path) -> None:
    path.write_bytes(b"this is not a database. " * 500)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: PAGE * 4 + 100])


def first_page(path: Path) -> None:
    path.write_bytes(b"\xff" * PAGE + path.read_bytes()[PAGE:])


def header_only(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


@pytest.mark.parametrize("damage", [garbage, emptied, gone, cut, first_page, header_only])
def test_what_cannot_be_read_is_reported_lost(
    path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    before = filled(path)
    epoch = json.loads(before[0].payload)["epoch"]
    damage(path)
    box = outbox(path)
    assert_nothing_is_lost_in_silence(box, before)
    assert box.epoch != epoch
    # Not wider than what waited: the answered ones are known to be in the log.
    assert all(one.first >= 6 for one in box.health().lost_ranges if one.epoch == epoch)
    assert {one.reason for one in box.health().lost_ranges} == {"corrupt"}
    assert "outbox starts anew" in caplog.messages
    commit_many(box, 2)
    numbers = [json.loads(one.payload)["seq"] for one in everything(box)[-2:]]
    assert numbers == [1, 2]


def test_a_damaged_file_is_set_aside_as_it_was(path: Path) -> None:
    filled(path)
    garbage(path)
    outbox(path)
    (aside,) = asides(path)
    assert aside.read_bytes().startswith(b"this is not a database")


def test_without_a_sidecar_and_nothing_readable_it_says_unknown(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(path)
    garbage(path)
    path.with_name("outbox.db.mark").unlink()
    outbox(path)
    assert [record.__dict__["lost"] for record in caplog.records if "lost" in record.__dict__] == [
        "unknown"
    ]


def test_a_box_that_ran_before_is_known_whatever_became_of_its_file(path: Path) -> None:
    first = outbox(path)
    assert first.fresh
    first.close()
    path.write_bytes(b"\x00" * 8 * PAGE)
    again = outbox(path)
    assert (again.state(), again.fresh) == (None, False)
    again.close()
    path.unlink()
    assert not outbox(path).fresh, "the sidecar tells"


def test_a_damaged_sidecar_alone_harms_nothing(path: Path) -> None:
    before = filled(path)
    path.with_name("outbox.db.mark").write_bytes(b"\0" * 30)
    box = outbox(path)
    assert everything(box) == before
    assert box.health().lost == 0


def test_one_changed_byte_of_a_payload_loses_that_event_only(path: Path) -> None:
    before = filled(path)
    victim = before[10]
    raw, digest = path.read_bytes(), hashlib.sha256(victim.payload).digest()
    assert raw.count(digest + victim.payload) == 1  # the ledger has a copy of its own
    changed = digest + victim.payload.replace(b"phone", b"ghost")
    path.write_bytes(raw.replace(digest + victim.payload, changed))
    box = outbox(path)
    assert [one.payload for one in everything(box)] == [
        one.payload for one in before if one is not victim
    ]
    (lost,) = box.health().lost_ranges
    assert lost.first == lost.last == json.loads(victim.payload)["seq"]


def test_a_damaged_page_in_the_middle_keeps_the_rows_around_it(path: Path) -> None:
    before = filled(path, count=400)
    raw = bytearray(path.read_bytes())
    page = raw.index(before[200].payload) // PAGE
    raw[page * PAGE : (page + 1) * PAGE] = b"\xee" * PAGE
    path.write_bytes(raw)
    box = outbox(path)
    assert_nothing_is_lost_in_silence(box, before)
    assert len(everything(box)) > 370


def test_state_and_open_violations_are_salvaged(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 400)
    commit(box, change(id_ := new_id()), state=b'{"kept": true}')
    payload = everything(box)[100].payload
    box.close()
    raw = bytearray(path.read_bytes())
    page = raw.index(payload) // PAGE
    raw[page * PAGE : (page + 1) * PAGE] = b"\xee" * PAGE
    path.write_bytes(raw)
    again = outbox(path)
    assert asides(path)
    assert again.state() == b'{"kept": true}'
    assert id_ in {one.violation_id for one in again.open_violations()}


def test_open_violations_without_the_state_are_closed_once(path: Path) -> None:
    box = outbox(path)
    commit(box, change(id_ := new_id()), state=b"the-policy's-state")
    box.close()
    path.write_bytes(path.read_bytes().replace(b"the-policy's-state", b"the-policy's-stale"))
    again = outbox(path)
    assert again.state() is None
    commit(again)
    phases = [ViolationEvent.model_validate_json(one.payload).phase for one in everything(again)]
    assert phases == [Phase.OPEN, Phase.CLOSE]
    assert again.open_violations() == []
    assert id_ not in again.active()


def test_a_start_that_died_between_setting_aside_and_the_new_file_goes_on(path: Path) -> None:
    before = filled(path)
    raw = path.read_bytes()
    victim = before[-1]
    path.write_bytes(raw.replace(victim.payload, victim.payload.replace(b"phone", b"ghost")))
    path.rename(path.with_name("outbox.db.corrupt-20260301T090000000000Z"))
    path.with_name("outbox.db.new").write_bytes(b"half a file")
    box = outbox(path)
    assert [one.payload for one in everything(box)] == [one.payload for one in before[:-1]]
    assert_nothing_is_lost_in_silence(box, before)


def test_a_lost_wal_is_reported_by_number(path: Path, tmp_path: Path) -> None:
    box = outbox(path)
    commit_many(box, 3)
    box.close()
    box = outbox(path)
    commit_many(box, 5)  # these are in the WAL
    before, copy = everything(box), tmp_path / "copy" / "outbox.db"
    copy.parent.mkdir()
    for suffix in ("", ".mark"):
        shutil.copy(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
    without = outbox(copy)
    assert_nothing_is_lost_in_silence(without, before)
    (lost,) = without.health().lost_ranges
    assert (lost.first, lost.last, lost.reason) == (4, 8, "disk")


def test_salvaged_events_are_lost_by_their_own_epoch_when_it_happens_again(path: Path) -> None:
    before = filled(path)
    path.write_bytes(
        path.read_bytes().replace(before[0].payload, before[0].payload.replace(b"phone", b"ghost"))
    )
    box = outbox(path)
    commit_many(box, 3)
    both = everything(box)
    box.close()
    garbage(path)
    again = outbox(path)
    assert_nothing_is_lost_in_silence(again, both)
    assert len({one.epoch for one in again.health().lost_ranges}) == 2


def test_damage_under_the_running_outbox_is_met_at_the_next_tick(path: Path) -> None:
    clock = FakeClock()
    box = outbox(path, clock=clock)
    commit_many(box, 30)
    before, epoch = everything(box), box.epoch
    assert box._store is not None
    box._store._db.execute("UPDATE events SET payload = 'x' || payload WHERE seq = 17")
    assert box.pending(after=0, limit=100) == []
    assert box.health().storage == "failing"
    commit(box, change())  # waits in memory
    clock.mono += 60
    box.tick()
    assert box.health().storage == "ok"
    assert box.epoch != epoch
    assert len(everything(box)) == 30
    assert_nothing_is_lost_in_silence(box, [*before, everything(box)[-1]])


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_raises_and_never_loses_in_silence(path: Path, seed: int) -> None:
    dice = random.Random(seed)
    before = filled(path, count=dice.choice([5, 60, 150]), settled=dice.choice([0, 4]))
    raw = bytearray(path.read_bytes())
    for _ in range(dice.choice([1, 3, 30])):
        at = dice.randrange(len(raw))
        length = dice.choice([1, 16, PAGE])
        raw[at : at + length] = dice.randbytes(min(length, len(raw) - at))
    if dice.random() < 0.3:
        del raw[dice.randrange(len(raw)) :]
    path.write_bytes(raw)
    box = outbox(path)
    assert_nothing_is_lost_in_silence(box, before)
    commit_many(box, 1)
    assert box.health().storage == "ok"
