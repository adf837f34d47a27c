"""The events of PostgreSQL go by whole months, each with its proof, and nobody waits for that."""

import pytest
from sqlalchemy import URL, Connection, Engine, select
from sqlalchemy import event as sql_event
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from cleandesk_fleet.subscriber.database import Place, open_beside, open_writer, partitions
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import deletions, events, quarantine, violations
from tests.postgresql import PostgreSQL
from tests.unit.subscriber.ageing import DAY_S, MAY_IS_OVER_S, fill, log_that_deletes, look
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import START, HandClock, event, hex_id, log_of

pytestmark = pytest.mark.parametrize("place", ["postgresql"], indirect=True)

#: Whoever deletes a violation fails at the end of the transaction.
_NO_COMMIT = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'the commit fails'; END $$;
CREATE CONSTRAINT TRIGGER fail AFTER DELETE ON violations
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()
"""


@pytest.fixture
def log(engine: Engine, clock: HandClock) -> Log:
    return log_that_deletes(engine, clock)


@pytest.fixture
def seen(log: Log, place: Place) -> Kept:
    assert log
    return Kept(place)


def test_who_reads_for_long_keeps_a_month_there_and_nobody_else_waiting(
    log: Log, clock: HandClock, seen: Kept, place: Place
) -> None:
    fill(log, clock)
    other = open_beside(place)
    with seen.reader.connect() as reading:
        assert len(reading.execute(select(events)).all()) == 3
        clock.sleep(MAY_IS_OVER_S)
        log.look_around(clock())
        with pytest.raises(OperationalError, match="lock timeout"):
            log.look_around(clock())
        # It is not tried again at once: all who write events waited for it.
        log.look_around(clock.sleep(1))
        log_of(other).begin(clock()).commit([event(4, violation_id=hex_id("new"))], clock())
    assert len(seen.rows(events)) == 4
    other.dispose()
    look(log, clock, 60)
    assert [row["seq"] for row in seen.rows(events)] == [3, 4]


def test_a_month_that_waits_to_go_is_not_counted_again(
    log: Log, clock: HandClock, seen: Kept, engine: Engine
) -> None:
    fill(log, clock)
    said: list[str] = []
    with seen.reader.connect() as reading:
        assert len(reading.execute(select(events)).all()) == 3
        log.look_around(clock.sleep(MAY_IS_OVER_S))
        sql_event.listen(engine, "before_cursor_execute", lambda *all_: said.append(all_[2]))
        for _ in range(3):
            with pytest.raises(OperationalError, match="lock timeout"):
                log.look_around(clock.sleep(60))
    asked = [one for one in said if "FROM events_2026_05" in one]
    assert len(asked) == 3
    assert all("WHERE id > " in one and "LIMIT" in one for one in asked)
    look(log, clock, 60)
    (proof,) = [row for row in seen.rows(deletions) if row["what"] == "events"]
    assert (proof["rows"], proof["first_received"], proof["last_received"]) == (2, START, START)


def test_an_event_that_comes_to_a_month_as_it_goes_is_counted_too(
    log: Log, clock: HandClock, seen: Kept, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(log, clock)
    behind, lock = open_beside(place), partitions.lock

    def late(connection: Connection, partition: str) -> None:
        monkeypatch.undo()
        late_one = event(4, violation_id=hex_id("late"))
        log_of(behind).begin(HandClock()()).commit([late_one], HandClock()())
        lock(connection, partition)

    monkeypatch.setattr(partitions, "lock", late)
    look(log, clock, MAY_IS_OVER_S)
    behind.dispose()
    (proof,) = [row for row in seen.rows(deletions) if row["what"] == "events"]
    assert proof["rows"] == 3
    assert [row["seq"] for row in seen.rows(events)] == [3]
    assert [row["violation_id"] for row in seen.rows(violations)] == [hex_id("lasting")]


def test_violations_whose_deletion_was_not_committed_go_the_next_time(
    log: Log, clock: HandClock, seen: Kept, place: Place
) -> None:
    assert isinstance(place, URL)
    fill(log, clock)
    clock.sleep(MAY_IS_OVER_S)
    PostgreSQL.say(place, _NO_COMMIT)
    with pytest.raises(DatabaseError, match="the commit fails"):
        log.look_around(clock())
    assert len(seen.rows(violations)) == 2
    PostgreSQL.say(place, "DROP FUNCTION fail CASCADE")
    look(log, clock, 60)
    assert [row["violation_id"] for row in seen.rows(violations)] == [hex_id("lasting")]
    assert [row["seq"] for row in seen.rows(events)] == [3]


def test_no_event_is_blamed_for_a_month_that_another_one_dropped(
    place: Place, clock: HandClock
) -> None:
    """By a clock that jumped back into it."""
    one, two = (open_writer(place, redundant=True) for _ in range(2))
    log, behind = log_that_deletes(one, clock), HandClock()
    other, seen, late = log_of(two).begin(behind()), Kept(place), hex_id("late")
    fill(log, clock)
    other.commit([event(4, violation_id=late)], behind())
    look(log, clock, MAY_IS_OVER_S)
    with pytest.raises(IntegrityError, match="no partition"):
        other.commit([event(5, violation_id=late)], behind())
    assert seen.rows(quarantine) == []
    other.commit([event(5, violation_id=late)], behind())
    assert sorted(row["seq"] for row in seen.rows(events)) == [3, 5]
    for engine in (one, two):
        engine.dispose()


def test_a_new_month_waits_for_nobody_who_reads(
    log: Log, clock: HandClock, seen: Kept, engine: Engine
) -> None:
    with seen.reader.connect() as reading, engine.connect() as connection:
        assert reading.execute(select(events)).all() == []
        connection.exec_driver_sql("SET lock_timeout = '100ms'")
        connection.commit()
        log.commit([event(1)], clock.sleep(400 * DAY_S))
    assert len(seen.rows(events)) == 1


def test_each_month_has_a_partition_and_the_next_ones_are_there(
    log: Log, clock: HandClock, engine: Engine
) -> None:
    log.commit([event(1)], clock())
    log.commit([event(2)], clock.sleep(400 * DAY_S))  # a clock that jumps is no obstacle
    query = select(events.c.seq).where(events.c.seq > 0)
    with engine.connect() as connection:
        assert sorted(connection.scalars(query)) == [1, 2]
        made = connection.exec_driver_sql(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass"
        )
        names = {name for (name,) in made}
    assert {"events_2026_05", "events_2026_06", "events_2026_07", "events_2027_06"} <= names
