"""What is due is deleted by who has the lock for it, which a slow folder does not cost."""

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from cleandesk_fleet.subscriber import housekeeping, pictures, retention
from cleandesk_fleet.subscriber.database import (
    DatabaseUnusableError,
    Place,
    open_writer,
    postgresql,
)
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import appeals, deleted_stills, events, quarantine, stills
from cleandesk_fleet.subscriber.transaction import Terms
from tests.eventually import eventually
from tests.unit.subscriber.ageing import DAY_S, KEEP, MAY_IS_OVER_S, fill
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import HandClock
from tests.unit.subscriber.test_stills import name_of, still

on_postgresql = pytest.mark.parametrize("place", ["postgresql"], indirect=True)
#: Longer than a turn of the sweep, on a busy machine too.
SOON_S = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stills"


@pytest.fixture
def shared(
    place: Place, clock: HandClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Log, Engine]]:
    """One of several who write a log and share a folder."""
    monkeypatch.setattr(postgresql, "FROZEN_S", SOON_S)
    engine = open_writer(place, redundant=True)
    album = Album(Pictures(folder), timedelta(hours=72))
    terms = Terms(album, 50, gap_after=timedelta(minutes=1), keep=KEEP)
    yield Log(engine, silent_after_s=10**9, terms=terms).begin(clock()), engine
    engine.dispose()


class Slow:
    """Matches names as slowly as a folder that is far away would yield them."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def fullmatch(self, name: str) -> re.Match[str] | None:
        time.sleep(0.2)
        return self._pattern.fullmatch(name)


@on_postgresql
def test_who_goes_through_a_slow_folder_of_pictures_is_not_taken_for_frozen(
    shared: tuple[Log, Engine], clock: HandClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, engine = shared
    journal.lead(clock(), hears=True)
    journal.commit([still(number) for number in range(25)], clock())
    left = folder / f"{'0' * 64}.jpg"
    left.write_bytes(b"of a commit that failed")
    os.utime(left, (0, 0))
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    monkeypatch.setattr(pictures, "_OURS", Slow(pictures._OURS))
    # A turn is far shorter than what is taken for frozen, and all of them together are longer.
    monkeypatch.setattr(housekeeping, "_A_TURN_S", 0.3)
    for _ in range(40):
        journal.look_around(clock.sleep(1))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() == pid
    assert sorted(file.name for file in folder.iterdir()) == sorted(map(name_of, range(25)))


@on_postgresql
@pytest.mark.parametrize("part", ["_sweep", "_delete_rows"])
def test_whoever_lost_the_lock_on_the_way_deletes_nothing_more(
    shared: tuple[Log, Engine],
    clock: HandClock,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
) -> None:
    journal, engine = shared
    seen = Kept(engine.url)
    journal.lead(clock(), hears=True)
    fill(journal, clock)
    journal.commit([still()], clock())
    before: Callable[..., None] = getattr(housekeeping.Housekeeping, part)

    def cut_off(*arguments: object) -> None:
        engine.dispose()
        before(*arguments)

    monkeypatch.setattr(housekeeping.Housekeeping, part, cut_off)
    clock.sleep(MAY_IS_OVER_S)
    with pytest.raises(DatabaseUnusableError, match="another subscriber may delete by now"):
        journal.look_around(clock())
    monkeypatch.undo()
    gone = part == "_delete_rows"
    assert (folder / name_of(1)).exists() is not gone
    assert (len(seen.rows(stills)), len(seen.rows(deleted_stills))) == ((0, 1) if gone else (1, 0))
    assert [len(seen.rows(table)) for table in (events, appeals, quarantine)] == [3, 1, 1]
    eventually(lambda: journal.lead(clock(), hears=True), "the lock once more")
    for _ in range(5):
        journal.look_around(clock.sleep(60))
    assert [len(seen.rows(table)) for table in (events, appeals, quarantine)] == [1, 0, 0]
    assert [row["file_gone"] for row in seen.rows(deleted_stills)] == [True]


def test_where_both_parts_fail_both_reasons_are_told(
    engine: Engine, clock: HandClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    terms = Terms(Album(Pictures(folder, "0" * 32), timedelta(hours=72)), 50, keep=KEEP)
    journal = Log(engine, silent_after_s=10**9, terms=terms).begin(clock())

    def fails(*_: object) -> None:
        raise OperationalError("DELETE", {"what": "secret"}, Exception("it took too long"))

    monkeypatch.setattr(retention, "delete_old", fails)
    with pytest.raises(DatabaseUnusableError) as failed:
        journal.look_around(clock())
    words = str(failed.value)
    assert "mount that folder again" in words
    assert "it took too long" in words
    assert "secret" not in words


def _with_stills(engine: Engine, clock: HandClock, folder: Path, many: int) -> Log:
    """Return a log of one writer, with so many pictures."""
    album = Album(Pictures(folder), timedelta(hours=72))
    journal = Log(engine, silent_after_s=10**9, terms=Terms(album, 50)).begin(clock())
    journal.commit([still(number) for number in range(many)], clock())
    return journal


def test_a_large_folder_is_gone_through_in_several_turns(
    engine: Engine, clock: HandClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_FILES_A_TURN", 3)
    journal = _with_stills(engine, clock, folder, 5)
    for number in range(5):
        (folder / f"{number:064x}.jpg").write_bytes(b"of a commit that failed")
    journal.look_around(clock())
    assert 7 <= len(list(folder.iterdir())) < 10
    for _ in range(4):
        journal.look_around(clock.sleep(1))
    assert sorted(file.name for file in folder.iterdir()) == sorted(map(name_of, range(5)))
    (folder / f"{'0' * 64}.jpg").write_bytes(b"of another one")
    journal.look_around(clock.sleep(60))
    assert len(list(folder.iterdir())) == 6
    journal.look_around(clock.sleep(DAY_S / 24))
    assert len(list(folder.iterdir())) == 5


def test_a_sweep_that_takes_hours_comes_to_its_end(
    engine: Engine, clock: HandClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_FILES_A_TURN", 1)
    journal = _with_stills(engine, clock, folder, 8)
    for number in range(8):
        (folder / f"{number:064x}.jpg").write_bytes(b"of a commit that failed")
    for _ in range(17):
        journal.look_around(clock.sleep(DAY_S / 24))
    assert sorted(file.name for file in folder.iterdir()) == sorted(map(name_of, range(8)))


def test_what_waits_for_its_turn_to_go_stays_if_somebody_comes_to_need_it(
    engine: Engine, clock: HandClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_DROPS_A_TURN", 1)
    journal = _with_stills(engine, clock, folder, 5)
    with engine.begin() as connection:
        connection.execute(stills.delete())
    journal.look_around(clock())
    left = {file.name for file in folder.iterdir()}
    assert len(left) == 4
    needed = next(number for number in range(5) if name_of(number) in left)
    journal.commit([still(needed)], clock())
    for _ in range(5):
        journal.look_around(clock.sleep(1))
    assert [file.name for file in folder.iterdir()] == [name_of(needed)]
