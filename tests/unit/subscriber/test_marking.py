"""When one that writes alone marks its folder of stills, and by which mark."""

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy import event as sql_event

from cleandesk_fleet.subscriber.belonging import claim
from cleandesk_fleet.subscriber.database import DatabaseUnusableError, Place
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.tables import deleted_stills
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import HandClock
from tests.unit.subscriber.test_belonging import log_with
from tests.unit.subscriber.test_stills import still


def test_a_folder_that_is_named_is_made_and_marked_before_it_takes_a_picture(
    engine: Engine, place: Place, clock: HandClock, tmp_path: Path
) -> None:
    mounted, away = tmp_path / "mounted", tmp_path / "away"
    mounted.mkdir()
    pictures = claim(engine, mounted / "stills", named=True, shared=False)
    log = log_with(engine, clock, pictures)
    log.commit([still(1)], clock())
    mounted.rename(away)
    mounted.mkdir()  # as it is while nothing is mounted there
    with pytest.raises(OSError, match="mount that folder again"):
        log.commit([still(2)], clock())
    with pytest.raises(OSError, match="mount that folder again"):
        log.look_around(clock.sleep(72 * 3600))
    assert Kept(place).rows(deleted_stills) == []
    assert list(mounted.iterdir()) == []


def test_a_folder_that_is_not_mounted_is_marked_as_another_one(
    engine: Engine, place: Place, clock: HandClock, tmp_path: Path
) -> None:
    folder, away = tmp_path / "mounted", tmp_path / "away"
    folder.mkdir()
    claim(engine, folder, named=True, shared=False)
    folder.rename(away)
    folder.mkdir()  # where it will be mounted, and the log keeps no still
    pictures = claim(engine, folder, named=True, shared=False)
    assert pictures is not None
    assert pictures.mark() not in {None, Pictures(away).mark()}
    log = log_with(engine, clock, pictures)
    log.commit([still()], clock())
    folder.rename(tmp_path / "below")
    away.rename(folder)
    for moment in (clock(), clock.sleep(72 * 3600)):
        with pytest.raises(OSError, match="mount that folder again"):
            log.look_around(moment)
    assert Kept(place).rows(deleted_stills) == []
    with pytest.raises(DatabaseUnusableError, match="holds the pictures of another log"):
        claim(engine, folder, named=True, shared=False)


def test_who_is_killed_between_a_new_mark_and_its_commit_goes_on_the_next_time(
    engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "stills"
    claim(engine, folder, named=True, shared=True)
    (folder / ".cleandesk-log").unlink()

    def die(_: Connection) -> None:
        if (folder / ".cleandesk-log").exists():
            raise KeyboardInterrupt

    sql_event.listen(engine, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        claim(engine, folder, named=True, shared=False)
    sql_event.remove(engine, "commit", die)
    marked = Pictures(folder).mark()
    pictures = claim(engine, folder, named=True, shared=False)
    assert pictures is not None
    assert pictures.mark() == marked


def test_an_emptied_folder_is_taken_if_it_held_nothing_or_somebody_says_so(
    engine: Engine, clock: HandClock, tmp_path: Path
) -> None:
    folder = tmp_path / "stills"
    folder.mkdir()
    first = claim(engine, folder, named=True, shared=False)
    (folder / ".cleandesk-log").unlink()
    pictures = claim(engine, folder, named=True, shared=False)
    assert first is not None
    assert pictures is not None
    with pytest.raises(OSError, match="mount that folder again"):
        first.drop(())
    log_with(engine, clock, pictures).commit([still()], clock())
    for file in folder.iterdir():
        file.unlink()
    with pytest.raises(DatabaseUnusableError, match="say so: echo ") as refused:
        claim(engine, folder, named=True, shared=False)
    command = "echo " + str(refused.value).split("echo ")[1]
    subprocess.run(command, shell=True, check=True)  # noqa: S602 - as people would
    assert claim(engine, folder, named=True, shared=False) is not None
