"""Logs of older versions become logs of this one, and lose nothing; all ways lead to one schema."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import URL, MetaData, Row, create_engine, select, text

from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    Place,
    migrations,
    open_reader,
    open_writer,
    partitions,
)
from cleandesk_fleet.subscriber.tables import VERSION, gaps, meta, metadata
from tests.postgresql import PostgreSQL, needs_postgresql
from tests.unit.subscriber.make import START, HandClock, event, log_of

HERE = Path(__file__).parent
SCRIPTS = Path(migrations.__file__).parent

Rows = dict[str, list[dict[str, Any]]]


def old_log(path: Path, version: int) -> Path:
    with sqlite3.connect(path) as old:
        old.executescript((HERE / f"log_v{version}.sql").read_text(encoding="utf-8"))
    old.close()
    return path


def contents(path: Path) -> Rows:
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
            was = meta.update().values(value=str(VERSION)).where(meta.c.name == "schema")
            lent = create_engine(place)
            with lent.begin() as connection:
                connection.execute(was)
            lent.dispose()


#: Not a row of version 3; a later migration changes the one table, and another one makes the other.
MORE: dict[str, dict[str, Any]] = {
    "deletions": {
        "what": "events",
        "how": "partition events_2026_03 dropped",
        **dict.fromkeys(("received_before", "first_received"), START),
        **dict.fromkeys(("last_received", "deleted_at"), START),
        "rows": 7,
        "left": 0,
    },
    "notices": {
        "way": "mail",
        "site": "s1",
        "box": "b1",
        "violation_id": "v" * 32,
        "severity": "high",
        "rule": "no-phone",
        "class": "phone",
        "clock_synced": True,
        "opened_at": START,
        "received_at": START,
        "attempts": 0,
    },
}


def old_log_on(url: URL, tmp_path: Path, version: int) -> Rows:
    """Make a log of an older version on PostgreSQL, with rows; return them."""
    file = create_engine(f"sqlite:///{old_log(tmp_path / 'log.db', 3)}")
    server, theirs, ours = create_engine(url), MetaData(), MetaData()
    theirs.reflect(file)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with server.begin() as connection, file.connect() as before:
        config.attributes["connection"] = connection
        command.upgrade(config, str(version))
        ours.reflect(connection)
        partitions.make(connection, {partitions.month_of(START)})
        for table in theirs.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows = [on_postgresql(table.name, row) for row in before.execute(table.select())]
            if rows:
                connection.execute(ours.tables[table.name].insert(), rows)
        connection.execute(ours.tables["meta"].update().values(value=str(version)))
        for name, row in MORE.items():
            if name in ours.tables:
                connection.execute(ours.tables[name].insert(), row)
    for engine in (file, server):
        engine.dispose()
    return rows_of(url)


def on_postgresql(table: str, row: Row[Any]) -> dict[str, Any]:
    """Return a row as PostgreSQL has it: numbered by itself, with zones, events with a month."""
    values = {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
        for name, value in row._mapping.items()
        if name != "id"
    }
    if table == "events":
        values["month"] = partitions.month_of(values["received_at"])
    return values


def rows_of(url: URL) -> Rows:
    """Return every row of every table, but how it was made."""
    server, tables = create_engine(url), MetaData()
    tables.reflect(server)
    with server.connect() as connection:
        found = {
            table.name: [
                dict(row._mapping)
                for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in tables.sorted_tables
            if table.name not in {"meta", "alembic_version"}
        }
    server.dispose()
    return found


@needs_postgresql
@pytest.mark.parametrize("version", range(3, VERSION))
def test_an_older_log_on_postgresql_is_taken_over_without_loss_and_goes_on(
    server: PostgreSQL, tmp_path: Path, version: int
) -> None:
    url = server.empty()
    before = old_log_on(url, tmp_path, version)
    filled = {name for name, rows in before.items() if rows}
    assert filled >= {"events", "violations", "boxes", "stills", "appeals", "gaps", "deletions"}
    with pytest.raises(DatabaseUnusableError, match=rf"schema {version}, .*run` once"):
        open_reader(url)
    engine = open_writer(url)
    after = rows_of(url)
    for table, rows in before.items():
        both = zip(after[table], rows, strict=True)
        assert [{name: row[name] for name in old} for row, old in both] == rows, table
    assert differences(url) == []
    clock = HandClock()
    log = log_of(engine, folder=tmp_path).begin(clock())
    answers = log.commit([event(1), event(3)], clock())
    results = [answer[1].result.value for answer in answers if answer]
    assert results == ["duplicate", "committed"]
    assert [row["seq"] for row in rows_of(url)["events"]] == [1, 2, 4, 1, 3]
    engine.dispose()


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
