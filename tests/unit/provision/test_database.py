"""The state: for its owner alone, and with a trail that only grows."""

from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from cleandesk_fleet.provision.change import Registry
from cleandesk_fleet.provision.database import open_database
from cleandesk_fleet.provision.errors import ProvisionError
from cleandesk_fleet.provision.tables import audit, boxes, meta, rotations, sites
from tests.unit.provision.conftest import HandClock


@pytest.fixture
def registry(tmp_path: Path, clock: HandClock) -> Registry:
    return Registry(open_database(tmp_path / "state.db"), "anna", clock)


def test_others_may_not_read_it(registry: Registry, tmp_path: Path) -> None:
    with registry.change() as change:
        change.note("something", "s1")
    for path in tmp_path.glob("state.db*"):
        assert path.stat().st_mode & 0o077 == 0


def test_the_trail_says_who_did_what_and_when(registry: Registry, clock: HandClock) -> None:
    with registry.change() as change:
        change.note("something", "s1", count=3)
    with registry.change() as change:
        row = change.connection.execute(select(audit)).one()
    assert (row.at, row.who, row.did, row.subject) == (clock.now, "anna", "something", "s1")
    assert (row.detail, row.alarm) == ('{"count": 3}', False)


@pytest.mark.parametrize("tidying", [update(audit).values(who="x"), delete(audit)])
def test_the_trail_only_grows(registry: Registry, tidying: object) -> None:
    with registry.change() as change:
        change.note("something", "s1")
    with pytest.raises(IntegrityError, match="only grows"), registry.change() as change:
        change.connection.execute(tidying)  # type: ignore[call-overload] # one of the two above


def test_what_fails_half_way_leaves_nothing(registry: Registry, clock: HandClock) -> None:
    with pytest.raises(IntegrityError):
        _enter_twice(registry, clock)
    with registry.change() as change:
        assert change.connection.execute(select(sites)).all() == []


def test_an_error_does_not_say_what_would_have_been_written(registry: Registry) -> None:
    row = {"site": "s1", "box": "b1", "state": "new", "label": "scrypt$of-a-pin"}
    with pytest.raises(IntegrityError) as caught, registry.change() as change:
        change.connection.execute(boxes.insert().values(**row, added_at=change.now))
    assert "scrypt" not in str(caught.value)


def _enter_twice(registry: Registry, clock: HandClock) -> None:
    with registry.change() as change:
        for _ in range(2):
            change.connection.execute(sites.insert().values(site="s1", added_at=clock.now))


def test_a_file_from_before_rotations_gets_their_table(tmp_path: Path) -> None:
    with open_database(tmp_path / "state.db").begin() as connection:
        rotations.drop(connection)
    with Registry(open_database(tmp_path / "state.db"), "anna").change() as change:
        assert change.connection.execute(select(rotations)).all() == []


def test_another_version_is_told(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "state.db")
    with engine.begin() as connection:
        connection.execute(update(meta).values(value="99"))
    with pytest.raises(ProvisionError, match="schema 99"):
        open_database(tmp_path / "state.db")


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is text" * 100)
    with pytest.raises(ProvisionError, match=r"state\.db"):
        open_database(tmp_path / "state.db")
