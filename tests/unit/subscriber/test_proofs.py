"""What `deletions` says is what is so: counted afterwards, of all that should be gone."""

import logging
from typing import Any

import pytest
from sqlalchemy import URL, Engine, delete, select
from sqlalchemy.exc import OperationalError

from cleandesk_fleet.subscriber import proofs, retention
from cleandesk_fleet.subscriber.database import Place, open_beside
from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import appeals, deletions, events, violations
from tests.postgresql import PostgreSQL
from tests.unit.subscriber.ageing import (
    DAY_S,
    MAY_IS_OVER_S,
    appeal,
    fill,
    log_that_deletes,
    look,
)
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import HandClock, event, hex_id, received

#: What was deleted is there again after the commit, as by a writer of whom nobody knows.
_BACK = """
CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN INSERT INTO appeals SELECT OLD.*; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER back AFTER DELETE ON appeals
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION back()
"""


@pytest.fixture
def log(engine: Engine, clock: HandClock) -> Log:
    return log_that_deletes(engine, clock)


@pytest.fixture
def seen(log: Log, place: Place) -> Kept:
    assert log
    return Kept(place)


def lines(seen: Kept, what: str) -> list[tuple[Any, ...]]:
    return [(row["rows"], row["left"]) for row in seen.rows(deletions) if row["what"] == what]


def objections(log: Log, clock: HandClock, count: int) -> None:
    for number in range(count):
        said = appeal(hex_id("old")) | {"appeal_id": hex_id("appeal", number)}
        log.commit([read(received("appeal", said), None)], clock())


def test_what_goes_in_parts_is_counted_when_the_last_is_gone(
    log: Log, clock: HandClock, seen: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_A_TURN", 2)
    objections(log, clock, 3)
    log.look_around(clock.sleep(31 * DAY_S))
    assert lines(seen, "appeals") == [(2, None)]
    log.look_around(clock.sleep(1))
    assert lines(seen, "appeals") == [(2, 0), (1, 0)]


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_what_is_there_after_the_commit_is_left_and_told(
    log: Log, clock: HandClock, seen: Kept, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(place, URL)
    objections(log, clock, 3)
    PostgreSQL.say(place, _BACK)
    log.look_around(clock.sleep(31 * DAY_S))
    assert lines(seen, "appeals") == [(3, 3)]
    (said,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "still there after its deletion" in said.message
    PostgreSQL.say(place, "DROP FUNCTION back CASCADE")
    look(log, clock, 60)
    assert lines(seen, "appeals") == [(3, 3), (3, 0)]


def test_a_kill_before_the_count_leaves_none_until_the_next_turn(
    log: Log, clock: HandClock, seen: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> dict[str, int]:
        raise OperationalError("SELECT", None, Exception("killed"))

    objections(log, clock, 1)
    with monkeypatch.context() as patched:
        patched.setattr(proofs, "count_left", die)
        with pytest.raises(OperationalError):
            log.look_around(clock.sleep(31 * DAY_S))
    assert lines(seen, "appeals") == [(1, None)]
    log.look_around(clock.sleep(60))
    assert lines(seen, "appeals") == [(1, 0)]


@pytest.mark.parametrize("turn", [1, 2000])
def test_violations_have_lines_of_their_own(
    log: Log, clock: HandClock, seen: Kept, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    monkeypatch.setattr(retention, "_A_TURN", turn)
    fill(log, clock)
    look(log, clock, MAY_IS_OVER_S)
    assert len(seen.rows(violations)) == 1
    assert lines(seen, "violations") == [(1, 0)]


def test_a_violation_without_an_event_is_left(
    log: Log, clock: HandClock, seen: Kept, place: Place
) -> None:
    fill(log, clock)
    log.commit([event(7, violation_id=hex_id("orphan"))], clock())
    other = open_beside(place)
    with other.begin() as connection:
        connection.execute(delete(events).where(events.c.seq == 7))
    other.dispose()
    look(log, clock, MAY_IS_OVER_S)
    assert lines(seen, "violations") == [(1, 1)]


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_while_a_month_must_wait_the_rest_is_proven_and_its_violations_are_not_yet(
    log: Log, clock: HandClock, seen: Kept
) -> None:
    fill(log, clock)
    objections(log, clock, 1)
    with seen.reader.connect() as reading:
        assert len(reading.execute(select(events)).all()) == 3
        log.look_around(clock.sleep(MAY_IS_OVER_S))
        with pytest.raises(OperationalError, match="lock timeout"):
            log.look_around(clock.sleep(60))
        objections(log, clock, 1)
        with pytest.raises(OperationalError, match="lock timeout"):
            log.look_around(clock.sleep(31 * DAY_S))
    assert len(seen.rows(appeals)) == 0
    assert {left for _, left in lines(seen, "appeals")} == {0}
    assert lines(seen, "violations") == [(1, None)]
    look(log, clock, 60)
    assert lines(seen, "events") == [(2, 0), (1, 0)]
    assert lines(seen, "violations") == [(1, 0), (1, 0)]
