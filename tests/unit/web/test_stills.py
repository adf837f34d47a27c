"""Stills: shown to reviewers while they last, and each look is written down before."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event as sql_event

from cleandesk_fleet.subscriber.belonging import claim
from cleandesk_fleet.subscriber.database import Place, open_beside
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import audit
from tests.unit.subscriber.make import BOX, hex_id
from tests.unit.subscriber.test_stills import jpeg
from tests.unit.web.conftest import Site
from tests.unit.web.make import opened, path_of, picture, picture_path

THREE_DAYS_S = timedelta(hours=72).total_seconds()


@pytest.fixture
def filled(site: Site) -> Site:
    site.log.commit([opened(1), picture(1)], site.clock())
    return site


def looks(site: Site) -> list[tuple[str, str, str, str]]:
    return [
        (row["account"], row["site"], row["box"], row["subject"])
        for row in site.rows(audit)
        if row["action"] == "still_viewed"
    ]


def test_a_reviewer_sees_it_and_the_trail_says_so(filled: Site) -> None:
    answer = filled.as_(Role.REVIEWER).get(picture_path(1))
    assert answer.content == jpeg(1)
    assert answer.headers["content-type"] == "image/jpeg"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert looks(filled) == [("reviewer", BOX.site, BOX.box, hex_id("still", 1))]


def test_the_page_shows_it_only_when_it_is_asked_for(filled: Site) -> None:
    reader = filled.as_(Role.REVIEWER)
    text = reader.get(path_of(1)).text
    assert "<img class=" not in text
    assert "Show the picture" in text
    shown = reader.get(f"{path_of(1)}?picture={hex_id('still', 1)}").text
    assert f'<img class="still" src="{picture_path(1)}"' in shown
    assert looks(filled) == []


def test_no_picture_is_sent_that_could_not_be_written_down(filled: Site) -> None:
    reader = filled.as_(Role.REVIEWER)
    engine = filled.parts.store._writer

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    sql_event.listen(engine, "before_cursor_execute", full)
    answer = reader.get(picture_path(1))
    sql_event.remove(engine, "before_cursor_execute", full)
    assert answer.status_code == 500
    assert jpeg(1) not in answer.content
    assert looks(filled) == []


def test_after_its_time_it_is_gone_and_says_when(filled: Site) -> None:
    filled.clock.sleep(THREE_DAYS_S)
    reader = filled.as_(Role.REVIEWER)
    due = reader.get(picture_path(1))
    assert due.status_code == 410
    assert "about to be deleted" in due.text
    filled.log.look_around(filled.clock())
    gone = reader.get(picture_path(1))
    assert gone.status_code == 410
    assert "2026-05-07 08:00:00" in gone.text
    assert "deleted after its time" in reader.get(path_of(1)).text
    assert looks(filled) == []


def test_one_whose_file_is_lost_is_gone_and_nobody_looked(filled: Site) -> None:
    (folder,) = {path.parent for path in filled.folder.rglob("*.jpg")}
    for file in folder.iterdir():
        file.unlink()
    assert filled.as_(Role.REVIEWER).get(picture_path(1)).status_code == 410
    assert looks(filled) == []


def test_a_page_that_does_not_see_the_logs_folder_says_so(filled: Site, place: Place) -> None:
    folder = filled.parts.pictures.folder
    writer = open_beside(place)
    claim(writer, folder, named=True, shared=True)
    writer.dispose()
    assert filled.as_(Role.REVIEWER).get(picture_path(1)).status_code == 200
    folder.rename(folder.with_name("on-another-machine"))
    answer = filled.as_(Role.REVIEWER).get(picture_path(1))
    assert answer.status_code == 410
    assert "does not see the folder" in answer.text
    assert len(looks(filled)) == 1


@pytest.mark.parametrize(
    "path", ["/stills/" + "0" * 32, "/stills/..%2f..%2fetc%2fpasswd", "/stills/'"]
)
def test_one_that_never_was_is_not_there(filled: Site, path: str) -> None:
    assert filled.as_(Role.REVIEWER).get(path).status_code == 404


def test_the_file_is_named_by_the_log_and_not_by_the_address(tmp_path: Path) -> None:
    assert Pictures(tmp_path).path("ab", "image/jpeg").parent == tmp_path
