import random
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import DatabaseError, OperationalError

from cleandesk.contract.messages import AckStatus
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Channel
from cleandesk_fleet.subscriber.database import Place, sqlite
from cleandesk_fleet.subscriber.intake import Reading, read
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import alarms, events, losses, quarantine, violations
from tests.unit.subscriber.conftest import Kept, eventually_open
from tests.unit.subscriber.make import (
    BOX,
    OTHER,
    HandClock,
    event,
    event_fields,
    health,
    hex_id,
    log_of,
    received,
    status,
)

only_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


def results(journal: Log, clock: HandClock, *readings: Reading) -> list[AckStatus | None]:
    answers = journal.commit(readings, clock())
    assert len(answers) == len(readings)
    return [answer[1].result if answer else None for answer in answers]


def open_alarms(kept: Kept) -> dict[str, str]:
    return {row["kind"]: row["detail"] for row in kept.rows(alarms) if row["closed_at"] is None}


def test_an_event_is_logged_word_for_word_and_answered(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    delivery = received("violation", event_fields(1), replayed=True)
    (answer,) = journal.commit([read(delivery, None)], clock())
    assert answer is not None
    assert answer[0] == BOX
    assert (answer[1].id, answer[1].result) == (hex_id("event", 1), AckStatus.COMMITTED)
    (row,) = kept.rows(events)
    assert row["payload"] == delivery.payload
    assert row["replayed"]
    assert row["received_at"] == clock().utc


def test_the_same_event_again_is_a_duplicate(journal: Log, clock: HandClock, kept: Kept) -> None:
    assert results(journal, clock, event(1), event(1)) == [
        AckStatus.COMMITTED,
        AckStatus.DUPLICATE,
    ]
    assert results(journal, clock, event(1, replayed=True)) == [AckStatus.DUPLICATE]
    assert len(kept.rows(events)) == 1
    assert kept.rows(violations)[0]["events"] == 1
    assert open_alarms(kept) == {}


def test_an_event_id_with_other_bytes_is_quarantined(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    results(journal, clock, event(1))
    forged = event(2, event_id=hex_id("event", 1))
    assert results(journal, clock, forged) == [AckStatus.QUARANTINED]
    assert "another event of this box" in open_alarms(kept)["quarantined"]
    assert len(kept.rows(events)) == 1


def test_an_event_id_of_another_box_is_quarantined(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    assert results(journal, clock, event(1), event(1, box=OTHER)) == [
        AckStatus.COMMITTED,
        AckStatus.QUARANTINED,
    ]
    assert "another box" in kept.rows(quarantine)[0]["reason"]


def test_two_events_with_one_number_are_not_both_logged(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    twin = event(1, event_id=hex_id("twin"))
    assert results(journal, clock, event(1), twin) == [AckStatus.COMMITTED, AckStatus.QUARANTINED]
    assert results(journal, clock, twin) == [AckStatus.QUARANTINED]
    assert "seq 1" in open_alarms(kept)["quarantined"]


def test_two_boxes_may_use_one_violation_id(journal: Log, clock: HandClock, kept: Kept) -> None:
    theirs = event(1, box=OTHER, event_id=hex_id("theirs"))
    assert results(journal, clock, event(1), theirs) == [AckStatus.COMMITTED] * 2
    assert {row["box"] for row in kept.rows(violations)} == {"b1", "b2"}


def test_a_jump_in_the_numbers_alarms_until_it_is_filled(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    results(journal, clock, event(1), event(5))
    assert open_alarms(kept)["gap"] == "3 events are missing: seq 2-4"
    results(journal, clock, event(3))
    assert open_alarms(kept)["gap"] == "2 events are missing: seq 2, 4"
    clock.sleep(60)
    results(journal, clock, event(4), event(2))
    assert open_alarms(kept) == {}
    (alarm,) = kept.rows(alarms)
    assert alarm["closed_at"] == clock().utc
    assert alarm["times"] == 2


def test_numbers_that_come_late_within_a_batch_are_no_alarm(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    results(journal, clock, event(3), event(1), event(2))
    assert kept.rows(alarms) == []


def test_a_gap_that_the_box_reports_lost_becomes_a_loss(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    results(journal, clock, event(1), event(6))
    lost = [{"epoch": event_fields()["epoch"], "first": 1, "last": 4, "reason": "full"}]
    results(journal, clock, health(outbox={"lost": 4, "lost_ranges": lost, "depth": 3}))
    assert open_alarms(kept)["gap"] == "1 events are missing: seq 5"
    assert "3 events will never come: full" in open_alarms(kept)["lost"]
    (loss,) = kept.rows(losses)
    assert (loss["first"], loss["last"], loss["reason"]) == (2, 4, "full")


def test_a_loss_that_is_reported_each_minute_is_told_once(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    lost = [{"epoch": event_fields()["epoch"], "first": 1, "last": 4, "reason": "disk"}]
    for _ in range(3):
        clock.sleep(60)
        results(journal, clock, health(outbox={"lost": 4, "lost_ranges": lost, "depth": 1}))
    (alarm,) = kept.rows(alarms)
    assert alarm["times"] == 1


def test_a_lost_event_that_comes_after_all_is_logged(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    lost = [{"epoch": event_fields()["epoch"], "first": 1, "last": 3, "reason": "corrupt"}]
    results(journal, clock, health(outbox={"lost_ranges": lost, "depth": 1}))
    assert results(journal, clock, event(2)) == [AckStatus.COMMITTED]
    assert [(row["first"], row["last"]) for row in kept.rows(losses)] == [(1, 1), (3, 3)]
    assert "gap" not in open_alarms(kept)


def test_an_empty_outbox_shows_that_the_last_events_are_missing(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    results(journal, clock, event(1), health(outbox={"next_seq": 4, "depth": 2}))
    assert open_alarms(kept) == {}
    results(journal, clock, health(outbox={"next_seq": 4, "depth": 0}, uptime_s=200))
    assert open_alarms(kept)["gap"] == "2 events are missing: seq 2-3"


def test_an_unreadable_event_is_no_gap_since_it_is_accounted_for(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    broken = read(received("violation", event_fields(2, score=7)), None)
    assert results(journal, clock, event(1), broken, event(3)) == [
        AckStatus.COMMITTED,
        AckStatus.QUARANTINED,
        AckStatus.COMMITTED,
    ]
    assert open_alarms(kept).keys() == {"quarantined"}
    (loss,) = kept.rows(losses)
    assert (loss["first"], loss["last"], loss["reason"]) == (2, 2, "quarantined")


def test_a_refused_site_leaves_an_alarm_and_no_payload(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    foreign = read(received("violation", event_fields(1)), ["elsewhere"])
    assert results(journal, clock, foreign) == [AckStatus.REFUSED]
    assert "not logged here" in open_alarms(kept)["refused"]
    assert kept.rows(quarantine) == kept.rows(events) == []


def test_a_silent_box_alarms_until_it_speaks(journal: Log, clock: HandClock, kept: Kept) -> None:
    results(journal, clock, status("online"))
    journal.look_around(clock.sleep(180))
    assert open_alarms(kept) == {}
    journal.look_around(clock.sleep(1))
    assert open_alarms(kept) == {"silent": "no message for 180 s"}
    results(journal, clock, health(retain=True))
    assert open_alarms(kept).keys() == {"silent"}
    results(journal, clock, health())
    assert open_alarms(kept) == {}


def test_a_stopped_box_is_not_silent(journal: Log, clock: HandClock, kept: Kept) -> None:
    results(journal, clock, status("online"), status("stopped"))
    journal.look_around(clock.sleep(10_000))
    assert kept.rows(alarms) == []


def test_a_silence_outlives_the_subscriber(
    journal: Log, clock: HandClock, kept: Kept, place: Place
) -> None:
    results(journal, clock, status("online"))
    journal.look_around(clock.sleep(181))
    journal.reopen()
    later = log_of(eventually_open(place), silent_after_s=180, max_quarantined=9).begin(clock())
    later.watch.resume(clock().mono)
    later.look_around(clock.sleep(500))
    assert len(kept.rows(alarms)) == 1
    results(later, clock, event(1))
    assert open_alarms(kept) == {}
    later.reopen()


def test_a_box_that_is_never_heard_again_after_a_restart_is_silent(
    journal: Log, clock: HandClock, kept: Kept, place: Place
) -> None:
    results(journal, clock, status("online"), status("stopped", box=OTHER))
    journal.reopen()
    later = log_of(eventually_open(place), silent_after_s=180, max_quarantined=9).begin(clock())
    later.watch.resume(clock().mono)
    later.look_around(clock.sleep(181))
    assert [(row["kind"], row["box"]) for row in kept.rows(alarms)] == [("silent", "b1")]
    later.reopen()


def test_alarms_about_what_happened_once_end_after_a_quiet_day(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    results(journal, clock, read(received("violation", b"nonsense"), None))
    journal.look_around(clock.sleep(23 * 3600))
    assert "quarantined" in open_alarms(kept)
    journal.look_around(clock.sleep(2 * 3600))
    assert "quarantined" not in open_alarms(kept)


@only_sqlite
def test_a_locked_database_logs_nothing_and_says_so(
    journal: Log, clock: HandClock, kept: Kept, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.01)
    journal.reopen()
    thief = sqlite3.connect(path, isolation_level=None)
    thief.execute("BEGIN EXCLUSIVE")
    with pytest.raises(OperationalError, match="locked"):
        journal.commit([event(1), event(4)], clock())
    thief.execute("COMMIT")
    thief.close()
    assert kept.rows(events) == kept.rows(alarms) == []
    assert results(journal, clock, event(1)) == [AckStatus.COMMITTED]


@only_sqlite
def test_a_full_disk_logs_nothing_and_goes_on_once_there_is_room(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    engine = journal._engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    batch = [event(seq, rule="x" * 200) for seq in range(1, 200)]
    with pytest.raises(OperationalError, match="full"):
        journal.commit(batch, clock())
    assert kept.rows(events) == []
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert set(results(journal, clock, *batch)) == {AckStatus.COMMITTED}
    assert len(kept.rows(events)) == 199


@only_sqlite
def test_one_that_the_database_will_not_take_does_not_hold_up_the_others(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    @sqlalchemy_event.listens_for(journal._engine, "before_cursor_execute")
    def poison(*arguments: object) -> None:
        if "INSERT INTO events" in str(arguments[2]) and hex_id("event", 2) in str(arguments[3]):
            raise ValueError("an impossible value")

    assert results(journal, clock, event(1), event(2), event(3)) == [
        AckStatus.COMMITTED,
        AckStatus.QUARANTINED,
        AckStatus.COMMITTED,
    ]
    assert [row["seq"] for row in kept.rows(events)] == [1, 3]
    assert kept.rows(quarantine)[0]["reason"] == "cannot be stored: ValueError"


def test_no_topic_is_too_long_for_the_log(journal: Log, clock: HandClock, kept: Kept) -> None:
    dice = random.Random(1)
    level = "".join(chr(dice.randrange(0x20000, 0x2A000)) for _ in range(900))
    strange = Received(f"{BOX.topic(Channel.STILL)}/{level}", b"x", mid=1)
    assert results(journal, clock, read(strange, None), event(1))[1] is AckStatus.COMMITTED
    (row,) = kept.rows(quarantine)
    assert strange.topic.startswith(row["topic"])
    assert len(row["topic"]) > 400


def test_what_is_wrong_with_the_log_is_blamed_on_no_event(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    """A table is not there: as an index that is damaged, or a right that is taken away."""
    engine = journal._engine
    for table in ("violations", "epochs", "events"):
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO elsewhere")
        with pytest.raises(DatabaseError, match=table):
            journal.commit([event(1), event(2)], clock())
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE elsewhere RENAME TO {table}")
        assert kept.rows(events) == kept.rows(quarantine) == []
    assert results(journal, clock, event(1), event(2)) == [AckStatus.COMMITTED] * 2


def test_many_boxes_and_events_share_a_batch(journal: Log, clock: HandClock, kept: Kept) -> None:
    boxes_ = [type(BOX)("s1", f"box-{n}") for n in range(450)]
    batch = [
        event(seq, box=box, event_id=hex_id(box, seq), violation_id=hex_id("v", box))
        for box in boxes_
        for seq in (1, 2)
    ]
    assert set(results(journal, clock, *batch)) == {AckStatus.COMMITTED}
    assert set(results(journal, clock, *batch)) == {AckStatus.DUPLICATE}
    assert {row["events"] for row in kept.rows(violations)} == {2}
