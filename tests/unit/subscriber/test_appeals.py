"""What workers say: appeals are logged once and answered, idle is the box's last word."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect

from cleandesk.contract.messages import AckStatus
from cleandesk_fleet.subscriber import queries
from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    open_reader,
    open_writer,
)
from cleandesk_fleet.subscriber.intake import Rejected, read
from cleandesk_fleet.subscriber.moments import Moment
from cleandesk_fleet.subscriber.queries import Filter
from cleandesk_fleet.subscriber.store import Log
from tests.unit.subscriber.make import BOX, START, event_fields, hex_id, log_of, received

V1 = Path(__file__).with_name("log_v1.sql")  # of a log that the version before has written
NOW = Moment(1.0, START)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_writer(tmp_path / "log.db")


@pytest.fixture
def log(engine: Engine) -> Log:
    return log_of(engine, silent_after_s=180, max_quarantined=10).begin(NOW)


def appeal_fields(number: int = 1, **changes: Any) -> dict[str, Any]:
    fields = {
        "schema": 1,
        "appeal_id": hex_id("appeal", number),
        "violation_id": hex_id("violation"),
        "reason": "not_mine",
        "at": START.isoformat(),
        "clock_synced": True,
    }
    return fields | changes


def idle_fields(minute: int, *, idle: bool) -> dict[str, Any]:
    at = (START + timedelta(minutes=minute)).isoformat()
    return {"schema": 1, "idle": idle, "since": at, "at": at, "clock_synced": True}


def take(log: Log, channel: str, fields: object, **more: Any) -> tuple[str, AckStatus] | None:
    (answer,) = log.commit([read(received(channel, fields, **more), None)], NOW)
    return None if answer is None else (answer[1].id, answer[1].result)


def rows(engine: Engine, find: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return list(find(connection, Filter()))


def columns(engine: Engine) -> dict[str, set[str]]:
    with engine.connect() as connection:
        found = inspect(connection)
        return {
            table: {column["name"] for column in found.get_columns(table)}
            for table in found.get_table_names()
        }


def test_an_appeal_is_logged_once_and_answered_each_time(log: Log, engine: Engine) -> None:
    id_ = hex_id("appeal", 1)
    assert take(log, "appeal", appeal_fields(note="my son's")) == (id_, AckStatus.COMMITTED)
    assert take(log, "appeal", appeal_fields(note="my son's")) == (id_, AckStatus.DUPLICATE)
    (row,) = rows(engine, queries.find_appeals)
    assert (row["reason"], row["note"], row["site"], row["rule"]) == (
        "not_mine",
        "my son's",
        BOX.site,
        None,
    )


def test_two_of_one_batch_are_one(log: Log, engine: Engine) -> None:
    same = [read(received("appeal", appeal_fields()), None) for _ in range(2)]
    answers = [answer[1].result for answer in log.commit(same, NOW) if answer]
    assert answers == [AckStatus.COMMITTED, AckStatus.DUPLICATE]
    assert len(rows(engine, queries.find_appeals)) == 1


def test_an_id_of_another_appeal_is_put_aside(log: Log, engine: Engine) -> None:
    take(log, "appeal", appeal_fields())
    other = appeal_fields(reason="wrong")
    assert take(log, "appeal", other) == (hex_id("appeal", 1), AckStatus.QUARANTINED)
    assert [row["reason"] for row in rows(engine, queries.find_appeals)] == ["not_mine"]
    assert len(rows(engine, queries.find_quarantined)) == 1


def test_an_appeal_that_cannot_be_read_is_answered_by_its_id(log: Log) -> None:
    reading = read(received("appeal", appeal_fields(reason="boring")), None)
    assert isinstance(reading, Rejected)
    assert reading.answer_id == hex_id("appeal", 1)
    assert take(log, "appeal", b"") is not None


def test_a_violation_says_that_it_was_appealed(log: Log, engine: Engine) -> None:
    take(log, "appeal", appeal_fields(1))  # it may come before its violation
    take(log, "violation", event_fields(1))
    (row,) = rows(engine, queries.find_violations)
    assert row["appealed"] == "not_mine"
    take(log, "appeal", appeal_fields(2, reason="wrong"))
    (row,) = rows(engine, queries.find_violations)
    assert row["appealed"] == "wrong"
    assert [one["rule"] for one in rows(engine, queries.find_appeals)] == ["no-phone"] * 2


def test_a_violation_that_nobody_objects_to_says_nothing(log: Log, engine: Engine) -> None:
    take(log, "violation", event_fields(1))
    (row,) = rows(engine, queries.find_violations)
    assert row["appealed"] is None


def test_boxes_show_the_newest_idle_marker(log: Log, engine: Engine) -> None:
    for minute, idle in ((1, True), (5, False), (3, True)):  # the last one comes late
        assert take(log, "idle", idle_fields(minute, idle=idle)) is None
    (row,) = rows(engine, queries.find_boxes)
    assert (row["idle"], row["idle_since"]) == (False, START + timedelta(minutes=5))


def test_boxes_show_why_there_is_a_break_and_what_it_goes_beyond(log: Log, engine: Engine) -> None:
    fields = {"state": "break", "reason": "water", "since": START.isoformat()}
    take(log, "privacy", fields | {"until": START.isoformat(), "beyond": ["length", "count"]})
    (row,) = rows(engine, queries.find_boxes)
    assert row["about"] == "water, overlong, too many"
    assert row["privacy_until"] == START
    take(log, "privacy", {"state": "working", "since": START.isoformat()})
    (row,) = rows(engine, queries.find_boxes)
    assert (row["about"], row["privacy_beyond"], row["privacy_until"]) == (None, None, None)


def test_a_log_of_the_version_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript(V1.read_text(encoding="utf-8"))
    old.close()
    with pytest.raises(DatabaseUnusableError, match=r"schema 1.*run` once"):
        open_reader(path)
    engine = open_writer(path)
    log = log_of(engine, silent_after_s=180, max_quarantined=10).begin(NOW)
    (row,) = rows(engine, queries.find_violations)
    assert (row["rule"], row["appealed"]) == ("no-phone", None)
    take(log, "appeal", appeal_fields())
    take(log, "idle", idle_fields(0, idle=True))
    (row,) = rows(engine, queries.find_boxes)
    assert (row["privacy"], row["idle"], row["about"]) == ("working", True, None)
    assert columns(engine) == columns(open_writer(tmp_path / "new.db"))
    engine.dispose()
    open_writer(path).dispose()
