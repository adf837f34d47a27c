"""Who looks at the log keeps no transaction open, however long that takes."""

import errno
import itertools
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO

import pytest
from sqlalchemy import URL

from cleandesk_fleet.subscriber import queries, reading, spool
from cleandesk_fleet.subscriber.database import Place
from cleandesk_fleet.subscriber.output import Writer
from cleandesk_fleet.subscriber.queries import Row
from tests.postgresql import PostgreSQL
from tests.unit.subscriber.conftest import Run

ROWS: list[Row] = [
    {"id": number, "at": datetime(2026, 5, 4, tzinfo=UTC), "place": [0.1, 0.2], "reason": None}
    for number in range(100)
]
_OPEN = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"


@pytest.fixture
def seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """How many transactions are open each time that somebody looks at a row."""
    found: list[object] = []
    write = Writer.write

    def looked_at(writer: Writer, rows: Iterable[Row]) -> int:
        def each() -> Iterator[Row]:
            for row in rows:
                assert isinstance(place, URL)
                found.append(PostgreSQL.ask(place, _OPEN))
                yield row

        return write(writer, each())

    monkeypatch.setattr(Writer, "write", looked_at)
    return found


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "command", ["log", "log --events", "log --limit 2", "alarms", "boxes", "quarantine"]
)
def test_who_pages_through_the_log_holds_up_nothing(
    run: Run,
    filled: str,
    seen: list[object],
    command: str,
) -> None:
    code, out, _ = run(*command.split(), "--db", filled, "--format", "jsonl")
    assert code == 0
    assert out
    assert seen == [0] * out.count("\n")


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_who_follows_the_log_holds_up_nothing(
    run: Run,
    filled: str,
    seen: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newest = iter([0, 10**9])

    def until_then(_: object) -> int:
        try:
            return next(newest)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(reading, "_FOLLOW_S", 0)
    monkeypatch.setattr(queries, "last_event_id", until_then)
    code, out, _ = run("log", "--events", "--follow", "--db", filled, "--format", "jsonl")
    assert code == 0
    assert seen == [0] * out.count("\n") == [0] * 8


@pytest.mark.parametrize("in_memory", [10, 10**6])
def test_they_are_the_same_ones_in_memory_or_in_a_file(
    in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_IN_MEMORY", in_memory)
    assert list(spool.spooled(iter(ROWS))) == ROWS
    assert list(itertools.islice(spool.spooled(ROWS), 3)) == ROWS[:3]
    assert list(spool.spooled(())) == []


def test_where_there_is_no_room_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[IO[bytes]] = []

    def full(_: object, file: IO[bytes]) -> None:
        files.append(file)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pickle.dump", full)
    with pytest.raises(OSError, match=f"TMPDIR, .*{tempfile.gettempdir()}"):
        spool.spooled(ROWS)
    assert files[0].closed
