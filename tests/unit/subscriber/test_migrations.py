"""Logs of older versions become logs of this one, and lose nothing; all ways lead to one schema."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    Place,
    open_reader,
    open_writer,
)
from cleandesk_fleet.subscriber.tables import gaps, meta, metadata
from tests.postgresql import PostgreSQL, needs_postgresql
from tests.unit.subscriber.make import HandClock, event, log_of

HERE = Path(__file__).parent


def old_log(path: Path, version: int) -> Path:
    with sqlite3.connect(path) as old:
        old.executescript((HERE / f"log_v{version}.sql").read_text(encoding="utf-8"))
    old.close()
    return path


def contents(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, but how it was made and numbered."""
    with sqlite3.connect(path) as log:
        log.row_factory = sqlite3.Row
        tables = log.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found = {
            name: [dict(row) for row in log.execute(f"SELECT * FROM {name}")]  # noqa: S608 - the log's own names
            for (name,) in tables
            if name not in {"meta", "alembic_version"}
        }
    log.close()
    return found


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_older_log_is_taken_over_without_loss(tmp_path: Path, version: int) -> None:
    path = old_log(tmp_path / "log.db", version)
    before = contents(path)
    assert before["events"]
    with pytest.raises(DatabaseUnusableError, match=rf"schema {version}, .*run` once"):
        open_reader(path)
    open_writer(path).dispose()
    after = contents(path)
    for table, rows in before.items():
        both = zip(after[table], rows, strict=True)
        assert [{name: row[name] for name in old} for row, old in both] == rows, table
    open_reader(path)


def test_an_older_log_goes_on_where_it_was(tmp_path: Path) -> None:
    path = old_log(tmp_path / "log.db", 2)
    clock = HandClock()
    log = log_of(open_writer(path), folder=tmp_path).begin(clock())
    (again, new) = log.commit([event(1), event(3)], clock())
    assert again is not None
    assert new is not None
    assert (again[1].result.value, new[1].result.value) == ("duplicate", "committed")
    with open_reader(path).connect() as connection:
        assert connection.execute(select(gaps)).all() == []
    log.reopen()


def differences(place: Place) -> list[Any]:
    """Return how the tables of a log differ from what the software works with."""

    def ours(_: object, name: str | None, kind: str, reflected: bool, __: object) -> bool:  # noqa: FBT001 - alembic's signature
        if kind == "table" and reflected:
            return name in metadata.tables
        # The month is PostgreSQL's own way to divide what the software sees as one.
        return not (name == "month" and kind == "column")

    with open_reader(place).connect() as connection:
        options = {"include_object": ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return [d for d in compare_metadata(context, metadata) if "constraint" not in d[0]]


def test_a_new_log_has_the_tables_that_the_software_works_with(place: Place) -> None:
    open_writer(place).dispose()
    assert differences(place) == []


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_older_log_gets_the_same_tables(tmp_path: Path, version: int) -> None:
    path = old_log(tmp_path / "log.db", version)
    open_writer(path).dispose()
    assert differences(path) == []


def test_a_newer_log_is_left_alone(place: Place) -> None:
    engine = open_writer(place)
    with engine.begin() as connection:
        connection.execute(meta.update().values(value="9"))
    engine.dispose()
    try:
        for opening in (open_writer, open_reader):
            with pytest.raises(DatabaseUnusableError, match="has schema 9, this software works"):
                opening(place)
    finally:
        if not isinstance(place, Path):  # the database is lent, and goes on to the next test
            PostgreSQL.say(place, "UPDATE meta SET value = '4' WHERE name = 'schema'")


@needs_postgresql
def test_another_programs_database_is_left_alone(server: PostgreSQL) -> None:
    url = server.empty()
    PostgreSQL.say(url, "CREATE TABLE recipes (name text)")
    with pytest.raises(DatabaseUnusableError, match="cleandesk log or empty"):
        open_writer(url)


@needs_postgresql
def test_a_migration_that_fails_leaves_nothing(
    server: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.empty()
    upgrade = command.upgrade

    def broken(*arguments: Any) -> None:
        upgrade(*arguments)
        raise RuntimeError("the power went")

    monkeypatch.setattr(command, "upgrade", broken)
    with pytest.raises(RuntimeError):
        open_writer(url)
    monkeypatch.undo()
    engine = open_writer(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM events")) == 0
    engine.dispose()
