"""Pictures lie where their log knows; elsewhere none is kept, and none is said to be gone."""

import logging
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import URL, Connection, Engine
from sqlalchemy import event as sql_event

from cleandesk.contract.messages import AckStatus
from cleandesk_fleet.subscriber.belonging import NOT_NAMED, claim
from cleandesk_fleet.subscriber.cli import main
from cleandesk_fleet.subscriber.database import DatabaseUnusableError, Place, open_writer
from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import deleted_stills, events, meta, quarantine, stills
from cleandesk_fleet.subscriber.transaction import Terms
from tests.logging_as_it_was import logging_as_it_was
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import HandClock, event, received
from tests.unit.subscriber.test_stills import name_of, still

on_postgresql = pytest.mark.parametrize("place", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


def log_with(
    engine: Engine, clock: HandClock, pictures: Pictures | None, default: Path = Path("no-stills")
) -> Log:
    refuses = None if pictures else NOT_NAMED
    album = Album(pictures or Pictures(default), timedelta(hours=72), refuses=refuses)
    return Log(engine, silent_after_s=10**9, terms=Terms(album, 50)).begin(clock())


@contextmanager
def another(place: Place) -> Iterator[Engine]:
    """Open the log as one of several who write it, where there may be several."""
    engine = open_writer(place, redundant=not isinstance(place, Path))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(place: Place) -> Iterator[Engine]:
    with another(place) as opened:
        yield opened


@on_postgresql
def test_of_two_machines_only_one_keeps_pictures_in_a_folder_of_its_own(
    engine: Engine, place: Place, tmp_path: Path
) -> None:
    claim(engine, tmp_path / "a", named=True, shared=True)
    for named in (True, False):
        with (
            another(place) as other,
            pytest.raises(DatabaseUnusableError, match="not where this log's pictures lie: mount"),
        ):
            claim(other, tmp_path / "b", named=named, shared=True)
    assert not (tmp_path / "b").exists()
    claim(engine, tmp_path / "a", named=True, shared=True)


@on_postgresql
def test_two_that_start_at_once_share_the_folder_or_one_of_them_does_not_start(
    place: Place, tmp_path: Path
) -> None:
    def start(folder: str) -> bool:
        with another(place) as engine:
            try:
                claim(engine, tmp_path / folder, named=True, shared=True)
            except DatabaseUnusableError:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        apart = list(pool.map(start, ["a", "b", "c", "d"]))
        assert apart.count(True) == 1
        (mine,) = [path.name for path in tmp_path.iterdir() if path.is_dir()]
        assert list(pool.map(start, [mine] * 4)) == [True] * 4


def test_who_is_killed_between_the_mark_and_the_commit_goes_on_the_next_time(
    engine: Engine, tmp_path: Path
) -> None:
    mark = tmp_path / "a" / ".cleandesk-log"

    def die(_: Connection) -> None:
        if mark.exists():
            raise KeyboardInterrupt

    sql_event.listen(engine, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        claim(engine, tmp_path / "a", named=True, shared=True)
    sql_event.remove(engine, "commit", die)
    marked = mark.read_text()
    claim(engine, tmp_path / "a", named=True, shared=True)
    assert mark.read_text() == marked
    with pytest.raises(DatabaseUnusableError, match="not where this log's pictures lie"):
        claim(engine, tmp_path / "b", named=True, shared=True)


def test_a_folder_that_somebody_marked_and_was_killed_is_not_shared_with_another_one(
    engine: Engine, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        connection.execute(meta.insert().values(name="stills_folder_next", value="1" * 32))
    Pictures(tmp_path / "a").set_mark("1" * 32)
    claim(engine, tmp_path / "b", named=True, shared=True)
    with pytest.raises(DatabaseUnusableError, match="holds the pictures of another log"):
        claim(engine, tmp_path / "a", named=True, shared=True)


@on_postgresql
def test_several_that_named_no_folder_take_no_still_and_say_so(
    engine: Engine, place: Place, clock: HandClock, tmp_path: Path
) -> None:
    pictures = claim(engine, tmp_path / "default", named=False, shared=True)
    assert pictures is None
    (answer,) = log_with(engine, clock, pictures).commit([still()], clock())
    assert answer is not None
    assert answer[1].result is AckStatus.QUARANTINED
    (row,) = Kept(place).rows(quarantine)
    assert (row["payload"], "'stills.folder' is not set" in row["reason"]) == (b"", True)
    assert not (tmp_path / "default").exists()


@on_postgresql
def test_a_log_with_pictures_that_several_will_share_needs_a_folder_by_name(
    engine: Engine, clock: HandClock, tmp_path: Path
) -> None:
    log_with(engine, clock, Pictures(tmp_path / "old")).commit([still()], clock())
    with pytest.raises(DatabaseUnusableError, match="nobody can say on which machine"):
        claim(engine, tmp_path / "old", named=False, shared=True)
    with pytest.raises(DatabaseUnusableError, match="no such folder, and the log keeps stills"):
        claim(engine, tmp_path / "elsewhere", named=False, shared=False)
    assert claim(engine, tmp_path / "old", named=True, shared=True) is not None


def test_another_logs_folder_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    Pictures(tmp_path / "a").set_mark("0" * 32)
    for _ in range(2):
        with pytest.raises(DatabaseUnusableError, match="holds the pictures of another log"):
            claim(engine, tmp_path / "a", named=True, shared=False)
    (tmp_path / "a" / ".cleandesk-log").unlink()
    assert claim(engine, tmp_path / "a", named=True, shared=False) is not None


def test_a_folder_that_goes_away_at_work_is_no_proof_and_no_place_for_pictures(
    engine: Engine, place: Place, clock: HandClock, tmp_path: Path
) -> None:
    folder, away = tmp_path / "mounted", tmp_path / "away"
    folder.mkdir()
    log = log_with(engine, clock, claim(engine, folder, named=True, shared=False))
    log.commit([still(1)], clock())
    folder.rename(away)
    folder.mkdir()  # where it was mounted
    seen = Kept(place)
    with pytest.raises(OSError, match="mount that folder again"):
        log.commit([still(2)], clock())
    with pytest.raises(OSError, match="mount that folder again"):
        log.look_around(clock.sleep(72 * 3600))
    assert (len(seen.rows(stills)), seen.rows(deleted_stills)) == (1, [])
    assert list(folder.iterdir()) == []
    assert (away / name_of(1)).exists()
    folder.rmdir()
    away.rename(folder)
    log.look_around(clock())
    assert [row["file_gone"] for row in seen.rows(deleted_stills)] == [True]
    assert [file.name for file in folder.iterdir()] == [".cleandesk-log"]


def test_a_folder_that_is_gone_keeps_nothing_else_from_being_deleted(
    engine: Engine, place: Place, clock: HandClock, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    pictures = claim(engine, folder, named=True, shared=False)
    assert pictures is not None
    keep = timedelta(days=30)
    terms = Terms(Album(pictures, timedelta(hours=72)), 50, keep=keep)
    log = Log(engine, silent_after_s=10**9, terms=terms).begin(clock())
    log.commit([still(), event(), read(received("violation", b"nonsense"), None)], clock())
    folder.rename(tmp_path / "away")
    clock.sleep(65 * 86_400)  # events go with their month
    seen = Kept(place)
    for _ in range(3):
        with pytest.raises(OSError, match="mount that folder again"):
            log.look_around(clock())
    assert [len(seen.rows(table)) for table in (stills, events, quarantine)] == [1, 0, 0]
    log.commit([event(2)], clock())
    (tmp_path / "away").rename(folder)
    log.look_around(clock())
    assert [row["file_gone"] for row in seen.rows(deleted_stills)] == [True]


def test_whose_pictures_lie_elsewhere_deletes_none_and_says_who_can(
    engine: Engine,
    place: Place,
    clock: HandClock,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    named = claim(engine, tmp_path / "named", named=True, shared=True)
    takes = log_with(engine, clock, named)
    takes.commit([still()], clock())
    strange = tmp_path / "default" / f"{'0' * 64}.jpg"
    strange.parent.mkdir()
    strange.write_bytes(b"of another log")
    judges, seen = log_with(engine, clock, None, strange.parent), Kept(place)
    judges.look_around(clock())
    assert caplog.records == []
    clock.sleep(72 * 3600)
    for _ in range(3):
        judges.look_around(clock())
    assert (len(seen.rows(stills)), seen.rows(deleted_stills)) == (1, [])
    assert strange.exists()
    (said,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "set 'stills.folder' as at the one that takes them in" in said.message
    takes.look_around(clock())
    assert [row["file_gone"] for row in seen.rows(deleted_stills)] == [True]
    assert not (tmp_path / "named" / name_of(1)).exists()


@pytest.mark.parametrize("mounted", ["empty", "missing"])
def test_a_folder_without_any_of_the_logs_pictures_is_not_marked_unless_somebody_says_so(
    engine: Engine, clock: HandClock, tmp_path: Path, mounted: str
) -> None:
    old, folder = tmp_path / "old", tmp_path / "mounted"
    log_with(engine, clock, Pictures(old)).commit([still(1), still(2)], clock())
    if mounted == "empty":
        folder.mkdir()
    for _ in range(2):
        with pytest.raises(DatabaseUnusableError, match="the file of none is here") as refused:
            claim(engine, folder, named=True, shared=True)
    assert not (folder / ".cleandesk-log").exists()
    (old / name_of(1)).unlink()
    assert claim(engine, old, named=True, shared=True) is not None
    command = "mkdir " + str(refused.value).split("mkdir ")[1]
    subprocess.run(command, shell=True, check=True)  # noqa: S602 - as people would
    with pytest.raises(DatabaseUnusableError, match="holds the pictures of another log"):
        claim(engine, folder, named=True, shared=True)


def test_a_folder_whose_pictures_are_lost_is_taken_when_somebody_says_so(
    engine: Engine, clock: HandClock, tmp_path: Path
) -> None:
    folder = tmp_path / "lost"
    log_with(engine, clock, Pictures(folder)).commit([still()], clock())
    (folder / name_of(1)).unlink()
    for _ in range(2):
        with pytest.raises(DatabaseUnusableError, match="lost for good, say so: ") as refused:
            claim(engine, folder, named=True, shared=False)
    command = "mkdir " + str(refused.value).split("mkdir ")[1]
    subprocess.run(command, shell=True, check=True)  # noqa: S602 - as people would
    assert claim(engine, folder, named=True, shared=False) is not None
    assert claim(engine, folder, named=True, shared=True) is not None


@on_sqlite
def test_beside_a_file_there_is_no_mark(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "log.db.stills").mkdir()
    assert claim(engine, tmp_path / "log.db.stills", named=False, shared=False) is not None
    assert list((tmp_path / "log.db.stills").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_of(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DatabaseUnusableError, match=r"file: File exists: mount it"):
        claim(engine, tmp_path / "file", named=True, shared=True)


@on_postgresql
def test_the_service_does_not_start_in_another_folder(
    engine: Engine,
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert isinstance(place, URL)
    claim(engine, tmp_path / "a", named=True, shared=True)
    written = {
        "schema": 1,
        "broker": {"host": "localhost"},
        "store": {"url": place.render_as_string(hide_password=False)},
        "stills": {"folder": str(tmp_path / "b")},
        "redundancy": {},
    }
    config = tmp_path / "subscriber.yaml"
    config.write_text(yaml.safe_dump(written))
    monkeypatch.setattr("sys.argv", ["cleandesk-subscriber", "run", "--config", str(config)])
    with logging_as_it_was(), pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "not where this log's pictures lie" in capsys.readouterr().err
