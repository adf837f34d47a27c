"""Who may write a log in PostgreSQL: seen anew at each connection, and before its tables change."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from cleandesk.contract.messages import AckStatus
from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    Place,
    locks,
    open_beside,
    open_writer,
)
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import VERSION, events, meta
from tests.eventually import eventually
from tests.postgresql import needs_postgresql
from tests.unit.subscriber.conftest import Kept, eventually_open
from tests.unit.subscriber.make import HandClock, event, log_of

pytestmark = [
    needs_postgresql,
    pytest.mark.parametrize("place", ["postgresql"], indirect=True),
]


@pytest.fixture
def other(place: Place, journal: Log, engine: Engine) -> Iterator[Engine]:
    """Another one's, that writes since the first one was cut off."""
    assert journal
    engine.dispose()  # as a server that was started anew leaves it
    opened = eventually_open(place)
    yield opened
    opened.dispose()


def set_version(engine: Engine, version: int) -> None:
    with engine.begin() as connection:
        where = meta.c.name == "schema"
        connection.execute(meta.update().where(where).values(value=str(version)))


def refusal(journal: Log, clock: HandClock) -> str:
    with pytest.raises(DatabaseUnusableError) as refused:
        journal.commit([event(1)], clock())
    return str(refused.value)


def test_one_that_writes_alone_is_alone(place: Place, journal: Log) -> None:
    assert journal
    for redundant in (False, True):
        with pytest.raises(DatabaseUnusableError, match="another subscriber writes this log"):
            open_writer(place, redundant=redundant)


def test_who_looks_whether_it_is_alone_leaves_every_seat_free(place: Place, engine: Engine) -> None:
    engine.dispose()
    beside = open_beside(place)
    with beside.connect() as looks, beside.connect() as other:
        eventually(lambda: locks.is_alone(looks), "that the last one is gone")
        assert looks.in_transaction(), "what it holds, it holds until the commit"
        raw = other.connection.dbapi_connection
        assert raw is not None
        locks.take_seat(raw, str(place), shared=True)


def test_whoever_was_cut_off_does_not_write_beside_who_came_in_its_place(
    journal: Log, other: Engine, clock: HandClock, kept: Kept
) -> None:
    log_of(other).commit([event(1)], clock())
    with pytest.raises(DatabaseUnusableError, match="another subscriber writes this log"):
        journal.commit([event(2)], clock())
    assert [row["seq"] for row in kept.rows(events)] == [1]
    other.dispose()
    answers: list[object] = []

    def comes_back() -> bool:
        try:
            answers.extend(journal.commit([event(2)], clock()))
        except DatabaseUnusableError:
            return False
        return True

    eventually(comes_back, "the seat")
    assert [row["seq"] for row in kept.rows(events)] == [1, 2]


def test_tables_change_under_nobody_who_writes(place: Place, kept: Kept, engine: Engine) -> None:
    engine.dispose()
    one = eventually_open(place, redundant=True)
    set_version(one, VERSION - 1)
    with pytest.raises(DatabaseUnusableError, match="older version, and a subscriber writes it"):
        open_writer(place, redundant=True)
    assert {row["name"]: row["value"] for row in kept.rows(meta)}["schema"] == str(VERSION - 1)
    set_version(one, VERSION)
    open_writer(place, redundant=True).dispose()
    one.dispose()


def test_a_newer_log_is_called_so_while_somebody_writes_it(place: Place, engine: Engine) -> None:
    set_version(engine, VERSION + 1)
    try:
        with pytest.raises(DatabaseUnusableError, match=f"has schema {VERSION + 1}, "):
            open_writer(place)
    finally:
        set_version(engine, VERSION)


def test_whoever_comes_back_to_a_newer_log_writes_nothing(
    place: Place, journal: Log, clock: HandClock, kept: Kept
) -> None:
    beside = open_beside(place)
    set_version(beside, VERSION + 1)
    try:
        journal.leave()
        # The server may not have seen yet that the last connection is gone.
        eventually(lambda: f"schema {VERSION + 1}, " in refusal(journal, clock), "the reason")
    finally:
        set_version(beside, VERSION)
    assert kept.rows(events) == []


def test_a_commit_goes_on_where_nobody_came_in_its_place(
    journal: Log, engine: Engine, clock: HandClock
) -> None:
    journal.commit([event(1)], clock())
    engine.dispose()

    def goes_on() -> bool:
        try:
            (answer,) = journal.commit([event(1)], clock())
        except DatabaseUnusableError:
            return False
        assert answer is not None
        return answer[1].result is AckStatus.DUPLICATE

    eventually(goes_on, "its own seat")
