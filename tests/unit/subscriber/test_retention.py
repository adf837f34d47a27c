"""What is old is deleted, with proof; what is not stays."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as sql_event

from cleandesk_fleet.subscriber import retention
from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    Place,
    open_writer,
    postgresql,
)
from cleandesk_fleet.subscriber.notices.table import notices
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import (
    alarms,
    appeals,
    deletions,
    events,
    quarantine,
    stills,
    violations,
)
from cleandesk_fleet.subscriber.transaction import Terms
from tests.unit.subscriber.ageing import (
    A_MONTH_MORE,
    DAY_S,
    KEEP,
    MAY_IS_OVER_S,
    fill,
    log_that_deletes,
    look,
)
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import (
    BOX,
    OTHER,
    START,
    HandClock,
    event,
    hex_id,
    status,
)
from tests.unit.subscriber.test_stills import still


@pytest.fixture
def log(engine: Engine, clock: HandClock) -> Log:
    return log_that_deletes(engine, clock)


@pytest.fixture
def seen(log: Log, place: Place) -> Kept:
    assert log
    return Kept(place)


def test_nothing_goes_before_its_time(log: Log, clock: HandClock, seen: Kept) -> None:
    fill(log, clock)
    log.look_around(clock.sleep(0.9 * DAY_S))
    assert [len(seen.rows(table)) for table in (events, violations, appeals)] == [3, 2, 1]
    assert seen.rows(deletions) == []


def test_what_is_old_goes_and_what_it_was_is_proven(log: Log, clock: HandClock, seen: Kept) -> None:
    fill(log, clock)
    look(log, clock, MAY_IS_OVER_S)
    proofs = {row["what"]: row for row in seen.rows(deletions)}
    assert {what: (row["rows"], row["left"]) for what, row in proofs.items()} == {
        "events": (2, 0),
        "appeals": (1, 0),
        "notices": (2, 0),
        "quarantine": (1, 0),
        "violations": (1, 0),
    }
    assert proofs["events"]["first_received"] == START
    assert proofs["events"]["deleted_at"] > proofs["events"]["received_before"]
    assert seen.rows(appeals) == seen.rows(notices) == seen.rows(quarantine) == []


def test_a_violation_goes_with_its_last_event(log: Log, clock: HandClock, seen: Kept) -> None:
    fill(log, clock)
    look(log, clock, MAY_IS_OVER_S)
    left = [row["violation_id"] for row in seen.rows(violations)]
    assert left == [hex_id("lasting")]
    look(log, clock, (30 + A_MONTH_MORE) * DAY_S)
    assert seen.rows(violations) == seen.rows(events) == []


def test_alarms_go_when_they_ended_so_long_ago_and_open_ones_stay(
    log: Log, clock: HandClock, seen: Kept
) -> None:
    log.commit([status("offline"), status("offline", box=OTHER)], clock())
    log.commit([status("online")], clock.sleep(DAY_S))
    look(log, clock, 29.9 * DAY_S)
    assert {row["box"] for row in seen.rows(alarms)} == {BOX.box, OTHER.box}
    look(log, clock, 0.2 * DAY_S)
    assert [row["box"] for row in seen.rows(alarms)] == [OTHER.box]
    (proof,) = seen.rows(deletions)
    assert (proof["what"], proof["rows"], proof["left"]) == ("alarms", 1, 0)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("table", "moment"),
    [
        ("alarms", "closed_at"),
        ("appeals", "received_at"),
        ("deleted_stills", "deleted_at"),
        ("losses", "reported_at"),
        ("notices", "received_at"),
    ],
)
def test_what_is_old_is_looked_for_by_an_index(
    log: Log, engine: Engine, clock: HandClock, table: str, moment: str
) -> None:
    log.commit([status("offline")], clock())
    said: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        said.append((statement, values))

    sql_event.listen(engine, "before_cursor_execute", note)
    log.look_around(clock.sleep(60))
    sql_event.remove(engine, "before_cursor_execute", note)
    (asked,) = [one for one in said if f"FROM {table}" in one[0] and f"{moment} < ?" in one[0]]
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", asked[1]).all()
    assert f"INDEX {table}_{moment.removesuffix('_at')} ({moment}<?)" in str(plan)
    assert "SCAN" not in str(plan)


def test_what_was_deleted_does_not_come_back_as_a_new_event(
    log: Log, clock: HandClock, seen: Kept
) -> None:
    fill(log, clock)
    look(log, clock, (40 + A_MONTH_MORE) * DAY_S)
    assert seen.rows(events) == []
    log.commit([event(1, violation_id=hex_id("old"), replayed=True)], clock())
    assert seen.rows(events) == []
    assert seen.rows(violations) == []


def test_nothing_is_deleted_unless_somebody_says_when(
    engine: Engine, clock: HandClock, place: Place
) -> None:
    terms = Terms(Album(Pictures(Path("no-stills")), timedelta(hours=72)), 50)
    log = Log(engine, silent_after_s=10**9, terms=terms).begin(clock())
    log.commit([event(1)], clock())
    log.look_around(clock.sleep(4000 * DAY_S))
    assert len(Kept(place).rows(events)) == 1


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_many_go_a_few_at_a_time(
    log: Log, clock: HandClock, seen: Kept, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    monkeypatch.setattr(retention, "_A_TURN", turn)
    fill(log, clock)
    clock.sleep(MAY_IS_OVER_S)
    before = len(seen.rows(violations))
    for _ in range(10):
        log.look_around(clock())
        left = len(seen.rows(violations))
        assert before - left <= turn
        before = left
    assert [row["violation_id"] for row in seen.rows(violations)] == [hex_id("lasting")]
    assert sum(row["rows"] for row in seen.rows(deletions) if row["what"] == "events") == 2
    assert len(seen.rows(events)) == 1


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_by_a_clock_that_is_far_from_the_servers_nothing_is_deleted(
    engine: Engine, clock: HandClock, seen: Kept, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    album = Album(Pictures(tmp_path), timedelta(hours=72))
    terms = Terms(album, 50, keep=KEEP, most_skew=timedelta(minutes=5))
    log = Log(engine, silent_after_s=10**9, terms=terms).begin(clock())
    log.commit([still()], clock())
    nobodys = tmp_path / f"{'0' * 64}.jpg"
    nobodys.write_bytes(b"of a commit that failed")
    fill(log, clock)
    look(log, clock, MAY_IS_OVER_S)
    assert len(seen.rows(events)) == 3
    assert len(seen.rows(stills)) == 1
    assert len(list(tmp_path.glob("*.jpg"))) == 2
    said = [record for record in caplog.records if "set them (timedatectl)" in record.message]
    assert len(said) == 2  # one a minute: once in `fill`, once after the month


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_by_a_clock_that_is_far_from_the_servers_no_log_is_opened(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "skew", lambda *_: timedelta(days=-20_000))
    with pytest.raises(DatabaseUnusableError, match=r"20000 days, 0:00:00 behind the server's"):
        open_writer(place)
