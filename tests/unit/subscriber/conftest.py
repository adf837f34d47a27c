from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Select, select

from cleandesk_fleet.subscriber import cli
from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    Place,
    open_reader,
    open_writer,
)
from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.store import Log
from tests.eventually import eventually
from tests.postgresql import PostgreSQL, needs_postgresql, words_of
from tests.unit.subscriber.make import (
    OTHER,
    HandClock,
    event,
    health,
    hex_id,
    log_of,
    received,
    status,
)
from tests.unit.subscriber.side import Side

Run = Callable[..., tuple[int, str, str]]


class Kept:
    """Looks into the log as another process would."""

    def __init__(self, place: Place) -> None:
        self.reader = open_reader(place)

    def all(self, statement: Select[Any]) -> list[dict[str, Any]]:
        with self.reader.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(statement)]

    def rows(self, table: Any) -> list[dict[str, Any]]:
        return self.all(select(table))


def eventually_open(place: Place, *, redundant: bool = False) -> Engine:
    """Open a log as soon as the server has seen that the last one is gone."""

    def opened() -> Engine | None:
        try:
            return open_writer(place, redundant=redundant)
        except DatabaseUnusableError:
            return None

    return eventually(opened, "a free seat")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    server = PostgreSQL().start()
    yield server
    server.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def place(request: pytest.FixtureRequest, path: Path) -> Iterator[Place]:
    """Where a log is, on each kind of database."""
    if request.param == "sqlite":
        yield path
        return
    server: PostgreSQL = request.getfixturevalue("server")
    url = server.lend()
    yield url
    server.take_back(url)


@pytest.fixture
def engine(place: Place) -> Iterator[Engine]:
    engine = open_writer(place)
    yield engine
    engine.dispose()


@pytest.fixture
def journal(engine: Engine, clock: HandClock) -> Log:
    journal = log_of(engine, silent_after_s=180, max_quarantined=50).begin(clock())
    journal.watch.resume(clock().mono)
    return journal


@pytest.fixture
def kept(journal: Log, place: Place) -> Kept:
    assert journal
    return Kept(place)


@pytest.fixture
def sides(place: Place, clock: HandClock) -> Iterator[tuple[Side, Side]]:
    """Two that write one log."""
    both = Side(place, clock), Side(place, clock)
    yield both
    for side in both:
        side.engine.dispose()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def main(*arguments: object) -> tuple[int, str, str]:
        """Run the program as its entry point does: (exit code, stdout, stderr)."""
        monkeypatch.setattr("sys.argv", ["cleandesk-subscriber", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return main


@pytest.fixture
def filled(journal: Log, clock: HandClock, place: Place) -> str:
    """A log with three violations of two boxes, a gap, a fault and a quarantined message."""
    paper: dict[str, Any] = {"violation_id": hex_id("paper"), "class": "paper", "rule": "no-paper"}
    journal.commit(
        [
            status(),
            health(camera={"fault": "black"}),
            event(1),
            event(2, phase="close", reason="break"),
            event(4, severity="low", opened_at="2026-05-05T10:00:00Z", **paper),
            event(1, box=OTHER, event_id=hex_id("o"), violation_id=hex_id("v"), replayed=True),
            read(received("violation", b'{"seq": "=1"}'), None),
        ],
        clock(),
    )
    return words_of(place)
