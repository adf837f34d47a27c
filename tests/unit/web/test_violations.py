"""What is shown of violations, and the way out as CSV."""

import csv
import io
from datetime import timedelta

from cleandesk_fleet.subscriber.tables import appeals
from cleandesk_fleet.web.queries import violations
from cleandesk_fleet.web.queries.filters import Wanted
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import audit
from cleandesk_fleet.web.views.violations import COLUMNS
from tests.unit.subscriber.make import OTHER, START, hex_id, status
from tests.unit.web.conftest import Site
from tests.unit.web.make import appeal, closed, opened, path_of, picture


def test_a_page_says_when_what_where_and_why_it_ended(site: Site) -> None:
    site.log.commit(
        [opened(1), closed(1, seq=2), opened(3, more={"class": "paper"}), appeal(3), picture(1)],
        site.clock(),
    )
    text = site.as_(Role.VIEWER).get("/violations").text
    assert text.index("<b>paper</b>") < text.index("<b>phone</b>")
    for words in ("2026-05-04 08:01:00", "UTC", "cleared", "s1/<wbr>b1", "appealed", "picture"):
        assert words in text


def test_empty_is_a_page_and_says_why(file_site: Site) -> None:
    reader = file_site.as_(Role.VIEWER)
    assert "No violation is logged." in reader.get("/violations").text
    assert "No violation fits these filters." in reader.get("/violations?class=pen").text
    assert "No box has been heard of yet" in reader.get("/").text
    assert "No violation ended in these days." in reader.get("/rates").text


def test_one_shows_all_that_is_logged_of_it(site: Site) -> None:
    site.log.commit([opened(1), closed(1, seq=2), appeal(1, note="my cup")], site.clock())
    text = site.as_(Role.VIEWER).get(path_of(1)).text
    for words in (hex_id("violation", 1), "my cup", "Nobody has decided yet", "aaaaaaaaaaaa"):
        assert words in text
    assert text.count('data-label="Phase"') == 2


def test_another_boxs_violation_of_the_same_id_is_another_one(site: Site) -> None:
    site.log.commit([opened(1), opened(1, box=OTHER, zone="shelf")], site.clock())
    reader = site.as_(Role.VIEWER)
    assert "shelf" not in reader.get(path_of(1)).text
    assert "shelf" in reader.get(path_of(1, OTHER)).text


def test_what_is_not_logged_is_not_there(file_site: Site) -> None:
    reader = file_site.as_(Role.VIEWER)
    for path in (path_of(1), "/violations/x/y/z", "/boxes/s1/b9", "/violations?after=nonsense"):
        assert reader.get(path).status_code == 404, path


def test_an_export_holds_what_fits_the_filters_and_is_in_the_trail(site: Site) -> None:
    readings = [opened(n, more={"class": "paper" if n % 2 else "phone"}) for n in range(1, 11)]
    site.log.commit([status(), *readings, closed(2, seq=20), appeal(1)], site.clock())
    answer = site.as_(Role.VIEWER).get("/violations.csv?class=paper")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == COLUMNS
    assert [row["class"] for row in rows] == ["paper"] * 5
    assert rows[-1]["appealed"] == "not_mine"
    assert rows[0]["opened_at"] == "2026-05-04T08:09:00.000Z"
    (line,) = [row for row in site.rows(audit) if row["action"] == "exported"]
    assert (line["account"], line["detail"]) == ("viewer", "class=paper")


def test_an_export_goes_on_over_many_parts(site: Site) -> None:
    site.log.commit(
        [opened(n, at=START + timedelta(minutes=n // 3)) for n in range(1, 24)], site.clock()
    )
    parts = [len(rows) for rows in violations.every(site.parts.store.reading, Wanted(), 5)]
    assert parts == [5, 5, 5, 5, 3]


def test_an_empty_export_has_its_header(file_site: Site) -> None:
    text = file_site.as_(Role.VIEWER).get("/violations.csv").text
    assert list(csv.reader(io.StringIO(text))) == [list(COLUMNS)]


def test_no_cell_of_an_export_is_a_formula(file_site: Site) -> None:
    formulas = ['=HYPERLINK("http://evil")', "+1", "-1", "@SUM(1)", "\t=1"]
    file_site.log.commit(
        [opened(n, rule=text, zone=text) for n, text in enumerate(formulas, 1)],
        file_site.clock(),
    )
    text = file_site.as_(Role.VIEWER).get("/violations.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(row["rule"] for row in rows) == sorted(f"'{text}" for text in formulas)
    for row in rows:
        for name in ("rule", "zone", "class", "box"):
            assert row[name][0] not in "=+-@\t\r\n"


def test_appeals_about_what_is_not_logged_are_shown_too(site: Site) -> None:
    site.log.commit([appeal(7)], site.clock())
    assert site.rows(appeals)
    assert "a violation that is not logged" in site.as_(Role.REVIEWER).get("/appeals").text


def test_no_box_keeps_a_class_from_being_asked_for_by_many_of_its_own(file_site: Site) -> None:
    many = [opened(number, more={"class": f"!{number:03}"}) for number in range(2, 80)]
    file_site.log.commit([opened(1), *many], file_site.clock())
    reader = file_site.as_(Role.VIEWER)
    page = reader.get("/violations").text
    assert '<option value="!002">' in page
    assert '<option value="phone">' not in page
    assert '<input id="f-class" name="class" value="" list="l-class"' in page
    assert 'value="phone" list="l-class"' in reader.get("/violations?class=phone").text
