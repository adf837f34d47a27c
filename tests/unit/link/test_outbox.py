"""The outbox on a healthy disk."""

import hashlib
import json
import logging
from pathlib import Path

import pytest

from cleandesk.contract.messages import (
    AckResult,
    AckStatus,
    CloseReason,
    Phase,
    ViolationEvent,
)
from cleandesk.link import OutboxAccessError, OutboxBusyError
from tests.unit.link.make import (
    OTHER_BOOT,
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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def test_events_of_one_look_get_consecutive_numbers_in_order(path: Path) -> None:
    box = outbox(path)
    ids = [new_id() for _ in range(3)]
    commit(box, *(change(id_) for id_ in ids))
    events = [ViolationEvent.model_validate_json(one.payload) for one in everything(box)]
    assert [event.violation_id for event in events] == ids
    assert [event.seq for event in events] == [1, 2, 3]
    assert {event.epoch for event in events} == {box.epoch}


def test_bytes_number_and_order_survive_a_restart(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 20)
    before, epoch = everything(box), box.epoch
    box.close()
    again = outbox(path)
    assert everything(again) == before
    assert again.epoch == epoch
    commit(again, change())
    assert json.loads(everything(again)[-1].payload)["seq"] == 21


def test_a_file_that_nothing_was_committed_to_is_opened_again(path: Path) -> None:
    box = outbox(path)
    epoch = box.epoch
    box.close()
    again = outbox(path)
    assert again.epoch == epoch
    assert [other.name for other in path.parent.iterdir() if "corrupt" in other.name] == []


def test_an_event_leaves_by_its_answer_only_and_once(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 3)
    first, second, third = everything(box)
    assert box.settle(acks([second])) == {second.event_id}
    assert box.settle(acks([second, second])) == frozenset()
    assert everything(box) == [first, third]
    box.close()
    assert everything(outbox(path)) == [first, third]


def test_an_answer_by_digest_releases_too(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 2)
    one, other = everything(box)
    digest = hashlib.sha256(one.payload).hexdigest()
    answer = AckResult(id=f"sha256:{digest}", result=AckStatus.QUARANTINED, reason="no JSON")
    assert box.settle([answer]) == {one.event_id}
    assert everything(box) == [other]


@pytest.mark.parametrize("result", [AckStatus.QUARANTINED, AckStatus.REFUSED])
def test_what_the_subscriber_would_not_log_is_counted_and_an_alarm(
    path: Path, caplog: pytest.LogCaptureFixture, result: AckStatus
) -> None:
    box = outbox(path)
    commit_many(box, 2)
    box.settle(acks(everything(box)[:1], result))
    assert box.health().refused == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    box.close()
    assert outbox(path).health().refused == 1


def test_answers_to_unknown_events_change_nothing(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 2)
    before = everything(box)
    unknown = [
        AckResult(id=new_id(), result=AckStatus.COMMITTED),
        AckResult(id="sha256:" + "0" * 64, result=AckStatus.COMMITTED),
    ]
    assert box.settle(unknown) == frozenset()
    assert everything(box) == before
    assert box.health().depth == 2


def test_too_many_events_lose_the_oldest_as_one_range(path: Path) -> None:
    box = outbox(path, max_events=10)
    commit_many(box, 25)
    assert [json.loads(one.payload)["seq"] for one in everything(box)] == list(range(16, 26))
    (lost,) = box.health().lost_ranges
    assert (lost.first, lost.last, lost.reason, lost.epoch) == (1, 15, "full", box.epoch)
    assert (box.health().lost, box.health().depth) == (15, 10)
    box.close()
    assert outbox(path, max_events=10).health().lost_ranges == [lost]


def test_too_many_bytes_lose_the_oldest(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 4)
    size = len(everything(box)[0].payload)
    box.close()
    small = outbox(path, max_mb=size * 2.5 / 1e6)
    assert small.health().depth == 2
    assert small.health().bytes <= size * 2.5
    assert small.health().lost_ranges[0].last == 2


def test_depth_and_bytes_are_what_is_there(path: Path) -> None:
    box = outbox(path, max_events=10)
    commit_many(box, 14)
    box.settle(acks(everything(box)[2:5]))
    left = everything(box)
    assert box.health().depth == len(left) == 7
    assert box.health().bytes == sum(len(one.payload) for one in left)


def test_state_and_open_violations_are_committed_with_their_event(path: Path) -> None:
    box = outbox(path)
    stays, goes = new_id(), new_id()
    commit(box, change(stays), change(goes), state=b'{"look": 1}')
    commit(box, closed(goes), state=b'{"look": 2}')
    box.close()
    again = outbox(path)
    assert again.state() == b'{"look": 2}'
    assert [one.violation_id for one in again.open_violations()] == [stays]


def test_a_closed_topic_is_kept_until_cleared_if_the_broker_may_hold_it(path: Path) -> None:
    box = outbox(path)
    published, unseen = new_id(), new_id()
    commit(box, change(published), change(unseen))
    box.note_trying([box.active()[published].entry])
    commit(box, closed(published), closed(unseen))
    box.close()
    again = outbox(path)
    assert {id_: one.payload for id_, one in again.active().items()} == {published: b""}
    again.note_cleared(published)
    again.tick()
    assert again.active() == {}


def test_an_open_topic_is_not_forgotten_by_a_late_confirmation(path: Path) -> None:
    box = outbox(path)
    commit(box, change(id_ := new_id()))
    box.note_cleared(id_)
    box.tick()
    assert list(box.active()) == [id_]


def test_age_counts_powered_on_time_across_restarts(path: Path) -> None:
    clock = FakeClock(mono=5000.0)
    box = outbox(path, clock=clock)
    commit(box, change())
    clock.mono += 100
    assert box.health().oldest_s == 100
    commit(box, state=b"{}")  # the last moment that the file knows of
    box.close()

    rebooted = FakeClock(mono=10.0)
    box = outbox(path, boot=OTHER_BOOT, clock=rebooted)
    rebooted.mono += 7
    assert box.health().oldest_s == 107
    box.settle(acks(everything(box)))
    assert box.health().oldest_s is None


def test_a_second_process_is_told_that_it_is_in_use(path: Path) -> None:
    box = outbox(path)
    with pytest.raises(OutboxBusyError, match="in use by another process"):
        outbox(path)
    box.close()
    outbox(path).close()


def test_a_missing_folder_is_named_with_its_fix(tmp_path: Path) -> None:
    with pytest.raises(OutboxAccessError, match=r"no folder .*nowhere: create it"):
        outbox(tmp_path / "nowhere" / "outbox.db")


def test_a_folder_is_no_outbox(tmp_path: Path) -> None:
    with pytest.raises(OutboxAccessError, match=r"give outbox\.path a file's name"):
        outbox(tmp_path)


def test_some_other_database_is_left_alone(path: Path) -> None:
    box = outbox(path)
    box._store._db.execute("PRAGMA user_version = 7")  # type: ignore[union-attr]
    box.close()
    before = path.read_bytes()
    with pytest.raises(OutboxAccessError, match="version 7"):
        outbox(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.corrupt-*"))


def test_only_the_owner_may_read_it(path: Path) -> None:
    box = outbox(path)
    commit_many(box, 1)
    assert {file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {0}


def test_what_is_open_without_a_policy_state_is_closed_by_the_next_commit(path: Path) -> None:
    box = outbox(path)
    commit(box, change(id_ := new_id()))
    box._book.state = None
    box.close()
    again = outbox(path)
    assert again.state() is None
    commit(again)
    opened, end = (ViolationEvent.model_validate_json(one.payload) for one in everything(again))
    assert (opened.violation_id, end.violation_id) == (id_, id_)
    assert (end.phase, end.reason) == (Phase.CLOSE, CloseReason.RESTART)
    commit(again)
    assert len(everything(again)) == 2


def test_someone_who_listens_hears_of_each_commit(path: Path) -> None:
    box = outbox(path)
    heard: list[int] = []
    box.listen(lambda: heard.append(box.last_id))
    commit_many(box, 3)
    assert heard == [1, 2, 3]
