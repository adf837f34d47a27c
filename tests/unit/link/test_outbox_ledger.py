"""The outbox's ledger: every message about the worker is entered with what commits it."""

import shutil
from pathlib import Path

import pytest

from cleandesk.contract.messages import AckResult, AckStatus
from cleandesk.contract.topics import Channel
from cleandesk.link import LedgerUnreadableError, Outbox
from tests.unit.link.make import (
    ADDRESS,
    FakeClock,
    acks,
    appeal,
    change,
    closed,
    commit,
    commit_many,
    entries,
    everything,
    idle,
    kinds,
    new_id,
    outbox,
    papers,
    privacy,
    response,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def full(box: Outbox) -> None:
    assert box._store is not None
    (pages,) = box._store._db.execute("PRAGMA page_count").fetchone()
    box._store._db.execute(f"PRAGMA max_page_count = {pages}")


def freed(box: Outbox) -> None:
    assert box._store is not None
    box._store._db.execute("PRAGMA max_page_count = 1000000")
    box.tick()
    assert box.health().storage == "ok"


def test_an_event_and_what_is_open_are_entered_word_for_word(box: Outbox) -> None:
    commit(box, change(id_ := new_id()))
    (event,), active = everything(box), box.active()[id_]
    first, second = entries(box)
    assert (first.kind, first.topic) == ("violation", ADDRESS.topic(Channel.VIOLATION))
    assert (first.number, first.message_id, first.payload) == (1, event.event_id, event.payload)
    assert (second.kind, second.topic) == ("active", ADDRESS.topic(Channel.ACTIVE, id_))
    assert (second.message_id, second.payload) == (f"{id_}:{event.event_id}", active.payload)
    assert (event.entry, active.entry) == (1, 2)
    assert box.verify().good
    assert box.verify().head.number == 2


def test_what_nobody_was_told_of_is_not_emptied_and_not_entered(box: Outbox) -> None:
    commit(box, change(id_ := new_id()))
    commit(box, closed(id_))
    assert kinds(box) == ["violation", "active", "violation"]


def test_emptying_a_topic_is_a_message_too(box: Outbox) -> None:
    commit(box, change(id_ := new_id()))
    box.note_trying([box.active()[id_].entry])
    commit(box, closed(id_))
    last = entries(box)[-1]
    assert (last.kind, last.message_id, last.payload) == ("active", id_, b"")


def test_saving_the_state_enters_nothing(box: Outbox) -> None:
    commit(box, state=b"1")
    commit(box, state=b"2")
    assert entries(box) == []


def test_a_state_of_the_worker_is_entered_once_for_each_change(box: Outbox) -> None:
    for minute in (0, 0, 1, 0):
        box.say(privacy(minute))
    assert [one.payload for one in entries(box)] == [
        privacy(minute).payload for minute in (0, 1, 0)
    ]
    newest = box.privacy()
    assert newest is not None
    assert newest.number == 3


def test_a_note_is_sent_to_nobody(box: Outbox) -> None:
    box.note("pin_reset", "The PIN was reset by the button: Ñ")
    (note,) = entries(box)
    assert (note.kind, note.topic, note.message_id) == ("note", "", "pin_reset")
    assert note.payload.decode() == "The PIN was reset by the button: Ñ"
    assert box.waiting == 0


def test_papers_wait_until_they_are_settled(box: Outbox) -> None:
    appealed, idled, answered = papers(new_id())
    for paper in (appealed, idled, answered):
        box.say(paper)
    (one,) = box.papers(answered=True)
    others = box.papers(answered=False)
    assert (one.event_id, one.payload, one.topic) == (
        appealed.message_id,
        appealed.payload,
        appealed.topic,
    )
    assert [other.payload for other in others] == [idled.payload, answered.payload]
    assert [other.correlation for other in others] == [None, b"asked"]
    assert box.waiting == 3
    for other in others:
        box.settle_paper(other)
    assert box.settle([AckResult(id=one.event_id, result=AckStatus.COMMITTED)]) == {one.event_id}
    assert box.settle([AckResult(id=one.event_id, result=AckStatus.DUPLICATE)]) == set()
    assert box.waiting == 0
    assert box.papers(answered=True) == box.papers(answered=False) == []
    assert [one.answer for one in entries(box)] == ["committed", None, None]


def test_papers_outlive_a_restart(path: Path) -> None:
    box = outbox(path)
    for paper in papers(new_id()):
        box.say(paper)
    box.settle_paper(box.papers(answered=False)[0])
    before = box.papers(answered=True) + box.papers(answered=False)
    box.close()
    again = outbox(path)
    assert again.papers(answered=True) + again.papers(answered=False) == before
    assert again.waiting == 2


def test_the_same_answer_is_sent_again_and_entered_once(box: Outbox) -> None:
    box.say(response(b"one"))
    box.say(response(b"one"))
    (waiting,) = box.papers(answered=False)
    box.settle_paper(waiting)
    box.tick()
    box.say(response(b"one"))
    (again,) = box.papers(answered=False)
    assert again.id > waiting.id
    assert (again.entry, again.payload) == (waiting.entry, waiting.payload)
    assert kinds(box) == ["cmd"]


def test_two_idle_markers_are_two(box: Outbox) -> None:
    box.say(idle())
    box.say(idle())
    assert kinds(box) == ["idle", "idle"]


def test_what_became_of_a_message_is_noted(path: Path) -> None:
    clock = FakeClock()
    box = outbox(path, clock=clock)
    commit(box, change(), change())
    first, second = everything(box)
    clock.mono += 60
    box.note_sent(first.entry)
    box.settle(acks([second], AckStatus.QUARANTINED))
    box.tick()
    told = {one.number: (one.sent_at, one.answer) for one in entries(box)}
    assert told[first.entry] == ("2026-03-01T09:01:00.000Z", None)
    # Whoever answered has had it.
    assert told[second.entry] == ("2026-03-01T09:01:00.000Z", "quarantined")
    assert box.verify().good


def test_what_may_have_arrived_is_known_after_a_kill(path: Path, tmp_path: Path) -> None:
    box = outbox(path)
    commit(box, change(), change())
    one, other = (active.entry for active in box.active().values())
    box.note_trying([one, other])
    box.note_sent(one)
    box.tick()
    copy = tmp_path / "copy.db"
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    again = outbox(copy)
    assert [entry.number for entry in again.unconfirmed()] == [other]
    again.note_refused(other)
    again.tick()
    assert again.unconfirmed() == []


def test_nothing_is_handed_out_that_a_full_disk_did_not_take(box: Outbox) -> None:
    commit_many(box, 1)
    box.say(privacy(0))
    full(box)
    said = [appeal(new_id()), *(privacy(minute) for minute in range(1, 60)), *papers(new_id())]
    for paper in said:
        commit_many(box, 1)
        box.say(paper)
    assert box.health().storage == "full"
    known = {one.number for one in entries(box)}
    handed = [*everything(box), *box.papers(answered=True), *box.papers(answered=False)]
    handed_entries = {one.entry for one in handed} | {one.entry for one in box.active().values()}
    newest = box.privacy()
    assert newest is not None
    assert handed_entries | {newest.number} <= known
    freed(box)
    payloads = [one.payload for one in entries(box)]
    there = [payloads.index(paper.payload) for paper in said]
    assert there == sorted(there)  # in the order in which they were said
    assert box.verify().good
    assert box.privacy() == next(one for one in entries(box)[::-1] if one.kind == "privacy")


def test_a_disk_that_fails_does_not_show_an_empty_ledger(box: Outbox) -> None:
    commit_many(box, 1)
    box._let_go()
    with pytest.raises(LedgerUnreadableError, match="check the disk"):
        box.ledger()
    with pytest.raises(LedgerUnreadableError, match="check the disk"):
        box.verify()


def test_pages_go_back_from_the_newest(box: Outbox) -> None:
    for number in range(5):
        box.note("n", str(number))
    assert [one.number for one in box.ledger(limit=2)] == [5, 4]
    assert [one.number for one in box.ledger(before=4, limit=2)] == [3, 2]
