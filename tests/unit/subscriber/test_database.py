import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    Place,
    open_beside,
    open_reader,
    open_writer,
    postgresql,
    sole_writer,
)
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import events, meta
from tests.postgresql import needs_postgresql
from tests.unit.subscriber.conftest import eventually_open
from tests.unit.subscriber.make import HandClock, event, log_of

HOLDER = """
import sys, pathlib
from cleandesk_fleet.subscriber.database import sole_writer
with sole_writer(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_commits_reach_the_disk(path: Path) -> None:
    engine = open_writer(path)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    engine.dispose()


def test_a_reader_sees_commits_and_never_a_half_one(
    journal: Log, clock: HandClock, place: Place
) -> None:
    reader = open_reader(place)
    with reader.connect() as connection:
        assert connection.execute(select(events)).all() == []
        journal.commit([event(1)], clock())
        assert connection.execute(select(events)).all() == []
    with reader.connect() as connection:
        assert len(connection.execute(select(events)).all()) == 1


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
@needs_postgresql
def test_whoever_pages_through_a_log_may_take_longer_than_a_program_that_writes(
    journal: Log, clock: HandClock, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.commit([event(1)], clock())
    short = postgresql._OPTIONS.replace("=60s", "=100ms")
    assert short != postgresql._OPTIONS
    monkeypatch.setattr(postgresql, "_OPTIONS", short)
    monkeypatch.setattr(postgresql, "FROZEN_S", 0.1)
    with open_reader(place).connect() as reader, open_beside(place).connect() as other:
        for connection in (reader, other):
            assert len(connection.execute(select(events)).all()) == 1
        time.sleep(0.5)
        assert len(reader.execute(select(events)).all()) == 1
        with pytest.raises(DBAPIError):
            other.execute(select(events))


def test_a_reader_cannot_write(journal: Log, place: Place) -> None:
    assert journal
    with open_reader(place).connect() as connection, pytest.raises(Exception, match=r"read-?only"):
        connection.execute(meta.insert().values(name="x", value="y"))


def test_a_log_can_be_opened_again(place: Place, clock: HandClock) -> None:
    for number in (1, 2):
        engine = eventually_open(place)
        log_of(engine, silent_after_s=9, max_quarantined=9).commit([event(number)], clock())
        engine.dispose()
    with open_reader(place).connect() as connection:
        assert len(connection.execute(select(events)).all()) == 2


def test_there_is_no_log_until_it_is_whole(path: Path) -> None:
    path.with_name("log.db.new").write_bytes(b"half a log of a killed subscriber")
    open_writer(path).dispose()
    assert [p.name for p in path.parent.iterdir()] == ["log.db"]


def test_a_file_that_is_no_log_is_left_alone(path: Path) -> None:
    path.write_bytes(b"precious words, and not a database" * 100)
    for opening in (open_writer, open_reader):
        with pytest.raises(DatabaseUnusableError, match="not a database: check that"):
            opening(path)
    assert path.read_bytes().startswith(b"precious words")


def test_another_programs_database_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name)")
    other.close()
    with pytest.raises(DatabaseUnusableError, match="cleandesk log"):
        open_writer(path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusableError, match=r"no log at .*run` makes it"):
        open_reader(tmp_path / "gone" / "log.db")
    with (
        pytest.raises(DatabaseUnusableError, match="a folder that it may write"),
        sole_writer(tmp_path / "gone" / "log.db"),
    ):
        pass


def test_one_log_has_one_writer(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with (
        pytest.raises(DatabaseUnusableError, match=rf"process {holder.pid}\): stop it"),
        sole_writer(path),
    ):
        pass
    holder.kill()
    holder.communicate()
    with sole_writer(path):
        pass


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_server_that_is_gone_without_a_word_is_noticed_by_our_side_too(engine: Engine) -> None:
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        asked = raw.info.get_parameters()
    limits = {name: asked.get(name) for name in ("keepalives_idle", "tcp_user_timeout")}
    assert limits == {"keepalives_idle": "10", "tcp_user_timeout": "20000"}
