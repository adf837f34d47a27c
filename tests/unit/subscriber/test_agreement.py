"""One deletes what all have logged: so all who write one log do it by the same values."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import URL, Connection, Engine

from cleandesk_fleet.subscriber.cli import main
from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    Deletion,
    Place,
    locks,
    open_writer,
)
from cleandesk_fleet.subscriber.tables import meta
from tests.eventually import eventually
from tests.logging_as_it_was import logging_as_it_was
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.test_redundancy import is_waiting

on_postgresql = pytest.mark.parametrize("place", ["postgresql"], indirect=True)

NEVER: dict[str, float | None] = {"store.keep_days": None, "stills.keep_h": 72.0}
MONTH: dict[str, float | None] = {"store.keep_days": 30, "stills.keep_h": 72.0}


@contextmanager
def writer(place: Place, deletion: Deletion) -> Iterator[Engine]:
    engine = open_writer(place, redundant=not isinstance(place, Path), deletion=deletion)
    try:
        yield engine
    finally:
        engine.dispose()


def kept(place: Place) -> Any:
    (value,) = (row["value"] for row in Kept(place).rows(meta) if row["name"] == "deletion")
    return json.loads(value)


@on_postgresql
@pytest.mark.parametrize(("first", "second"), [(NEVER, MONTH), (MONTH, NEVER)])
def test_who_would_delete_otherwise_does_not_start_beside_who_writes(
    place: Place, first: Deletion, second: Deletion
) -> None:
    there, here = ("not set", "30") if first == NEVER else ("30", "not set")
    with writer(place, first) as engine:
        why = f"store.keep_days is {there} there and {here} here: give all of them the same value,"
        with pytest.raises(DatabaseUnusableError, match=why):
            open_writer(place, redundant=True, deletion=second)
        with writer(place, first):
            assert kept(place) == first
        engine.connect().close()


@on_postgresql
def test_a_shorter_time_for_pictures_is_another_one_too(place: Place) -> None:
    with (
        writer(place, MONTH),
        pytest.raises(DatabaseUnusableError, match=r"stills\.keep_h is 72 there and 1\.5 here"),
    ):
        open_writer(place, redundant=True, deletion=MONTH | {"stills.keep_h": 1.5})


def test_where_nobody_else_writes_what_is_new_holds(place: Place) -> None:
    with writer(place, NEVER):
        assert kept(place) == NEVER

    def begins_anew() -> bool:
        try:  # the server may not have seen yet that the last one is gone
            with writer(place, MONTH):
                return True
        except DatabaseUnusableError:
            return False

    eventually(begins_anew, "a start by the new value")
    assert kept(place) == MONTH


@on_postgresql
def test_of_two_that_start_at_once_by_other_values_one_does_not(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_seat, second = locks.take_seat, []

    def late(*arguments: Any, **named: Any) -> None:
        monkeypatch.undo()
        second.append(open_writer(place, redundant=True, deletion=NEVER))
        take_seat(*arguments, **named)

    monkeypatch.setattr(locks, "take_seat", late)
    with pytest.raises(DatabaseUnusableError, match="not set there and 30 here"):
        open_writer(place, redundant=True, deletion=MONTH)
    assert kept(place) == NEVER
    second[0].dispose()


@on_postgresql
def test_many_that_start_at_once_delete_by_one_value(place: Place) -> None:
    def start(number: int) -> tuple[Engine, Deletion] | str:
        deletion = MONTH | {"store.keep_days": number % 2 + 1}
        try:
            return open_writer(place, redundant=True, deletion=deletion), deletion
        except DatabaseUnusableError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(start, range(8)))
    started = [one for one in answers if not isinstance(one, str)]
    for engine, _ in started:
        engine.dispose()
    assert [deletion for _, deletion in started] == [kept(place)] * len(started)
    assert 1 <= len(started) <= 4
    refused = [one for one in answers if isinstance(one, str)]
    assert all("store.keep_days is" in why for why in refused), refused


@on_postgresql
def test_who_comes_back_while_another_one_starts_waits_for_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_alone, seen = locks.is_alone, Kept(place)
    with writer(place, MONTH) as engine, ThreadPoolExecutor(1) as pool:
        engine.dispose()
        coming = []

        def looks(connection: Connection) -> bool:
            eventually(lambda: is_alone(connection), "that the first one is gone")
            coming.append(pool.submit(engine.connect))
            eventually(lambda: is_waiting(seen), "a wait for the one that starts")
            return True

        monkeypatch.setattr(locks, "is_alone", looks)
        with writer(place, MONTH):
            coming[0].result().close()


@on_postgresql
def test_whoever_was_cut_off_comes_back_to_its_own_value_alone(place: Place) -> None:
    with writer(place, MONTH) as engine:
        engine.dispose()  # as a server that was started anew leaves it
        others: list[Engine] = []

        def opened() -> bool:
            try:
                others.append(open_writer(place, redundant=True, deletion=NEVER))
            except DatabaseUnusableError:
                return False
            return True

        eventually(opened, "that the first one is gone")
        with pytest.raises(DatabaseUnusableError, match="not set there and 30 here"):
            engine.connect()
        others[0].dispose()


@on_postgresql
def test_the_service_does_not_start_by_other_values(
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert isinstance(place, URL)
    written = {
        "schema": 1,
        "broker": {"host": "localhost"},
        "store": {"url": place.render_as_string(hide_password=False), "max_quarantined": 7},
        "redundancy": {},
    }
    config = tmp_path / "subscriber.yaml"
    config.write_text(yaml.safe_dump(written))
    monkeypatch.setattr("sys.argv", ["cleandesk-subscriber", "run", "--config", str(config)])
    theirs = {"store.keep_days": None, "store.max_quarantined": 50, "stills.keep_h": 72}
    with (
        writer(place, theirs),
        logging_as_it_was(),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert ended.value.code == 1
    assert "store.max_quarantined is 50 there and 7 here" in capsys.readouterr().err
