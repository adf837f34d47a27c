"""Boxes: how each one does, and its days."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.tables import boxes
from cleandesk_fleet.web.queries import timeline
from cleandesk_fleet.web.queries.strip import WIDTH, lanes
from cleandesk_fleet.web.roles import Role
from tests.unit.subscriber.make import BOX, EPOCH, OTHER, START, health, received, status
from tests.unit.web.conftest import Site
from tests.unit.web.make import appeal, closed, opened, path_of

WAITING = {"epoch": EPOCH, "next_seq": 4, "depth": 3, "bytes": 900, "oldest_s": 725.0, "lost": 0}


def row_of(text: str, box: Address) -> str:
    """Return what the fleet's table says of one box."""
    return text.split(f'href="/boxes/{box.site}/{box.box}"')[1].split("</tr>", maxsplit=1)[0]


def test_it_says_state_health_last_heard_version_and_outbox(site: Site) -> None:
    site.log.commit(
        [
            status(),
            health(camera={"fault": "black"}, outbox=WAITING),
            status("offline", box=OTHER),
            health(box=OTHER, throttled=True),
        ],
        site.clock(),
    )
    site.clock.sleep(90)
    text = site.as_(Role.VIEWER).get("/").text
    mine, others = row_of(text, BOX), row_of(text, OTHER)
    for words in ("online", "fault: black", "3 waiting", "oldest 12 min 5 s", "1.0"):
        assert words in mine, words
    assert "1 min 30 s ago" in mine
    assert "offline" in others
    assert "too hot" not in others  # what it said before it went is no news
    assert "empty" in others


def test_it_says_which_system_runs_and_how_an_update_does(site: Site) -> None:
    update = {"version": "0.1.200", "state": "fetching", "coming": "0.1.300", "fetched": 0.42}
    lost = "0.1.250: left: it did not start, or crashed"
    site.log.commit(
        [
            status(),
            health(update=update | {"given_up": lost}),
            status(box=OTHER),
            health(
                box=OTHER,
                update={"version": "0.1.300", "state": "committed", "untried": "camera: a break"},
            ),
        ],
        site.clock(),
    )
    reader = site.as_(Role.VIEWER)
    text = reader.get("/").text
    assert "system 0.1.200, fetching 0.1.300, 42% of it" in row_of(text, BOX)
    assert "system 0.1.300<" in row_of(text, OTHER)
    page = reader.get(f"/boxes/{BOX.site}/{BOX.box}").text
    assert lost in page
    assert "0.1.200, fetching 0.1.300, 42% of it" in page
    assert "camera: a break" not in page
    assert "camera: a break" in reader.get(f"/boxes/{OTHER.site}/{OTHER.box}").text


def test_a_box_that_is_well_says_so_and_one_that_said_nothing_does_not(site: Site) -> None:
    site.log.commit([status(), health(), status(box=OTHER)], site.clock())
    text = site.as_(Role.VIEWER).get("/").text
    assert "good" in row_of(text, BOX)
    assert "not said" in row_of(text, OTHER)


def test_filters_and_counts(site: Site) -> None:
    away = Address("s2", "b1")
    site.log.commit([status(), status(box=OTHER), status("offline", box=away)], site.clock())
    reader = site.as_(Role.VIEWER)
    text = reader.get("/").text
    assert "<b>2</b> online" in text
    assert "<b>1</b> with an open alarm" in text
    for query, shown in (
        ("site=s2", {away}),
        ("status=online", {BOX, OTHER}),
        ("alarmed=yes", {away}),
        ("site=s1&status=offline", set[Address]()),
    ):
        found = reader.get(f"/?{query}").text
        assert {
            box for box in (BOX, OTHER, away) if f'href="/boxes/{box.site}/{box.box}"' in found
        } == shown, query
    assert reader.get("/?status=odd").status_code == 422


def test_many_boxes_are_on_many_pages(file_site: Site) -> None:
    names = [Address("s1", f"b{number:03}") for number in range(230)]
    file_site.log.commit([status(box=box) for box in names], file_site.clock())
    reader, path, seen = file_site.as_(Role.VIEWER), "/", 0
    while path:
        text = reader.get(path).text
        seen += text.count('data-label="Box"')
        more = text.split('rel="next" href="')
        path = more[1].split('"')[0].replace("&amp;", "&") if len(more) > 1 else ""
    assert seen == 230


def test_a_day_shows_in_order_what_was_logged(site: Site) -> None:
    site.log.commit(
        [
            status(),
            health(camera={"fault": "black"}),
            opened(1),
            closed(1, seq=2),
            appeal(1, at=(START + timedelta(minutes=5)).isoformat()),
        ],
        site.clock(),
    )
    text = site.as_(Role.VIEWER).get("/boxes/s1/b1").text
    assert "Monday, 2026-05-04" in text
    list_ = text.split('<ol class="timeline">')[1]
    places = [list_.index(words) for words in ("The worker objects", "cleared after", "fault")]
    assert places == sorted(places)
    assert 'class="span"' in text


def test_a_day_without_anything_is_a_page(site: Site) -> None:
    site.log.commit([status(), opened(1)], site.clock())
    reader = site.as_(Role.VIEWER)
    empty = reader.get("/boxes/s1/b1?day=2026-05-03").text
    assert "Nothing is logged of this day." in empty
    assert 'rel="next"' in empty
    assert reader.get("/boxes/s1/b1?day=0001-01-01").status_code == 404
    assert reader.get("/boxes/s1/b1?day=tomorrow").status_code == 422
    assert 'rel="next"' not in reader.get("/boxes/s1/b1").text


def drawn(page: str) -> list[tuple[float, float]]:
    """Return where a day's drawing shows something, by the hour."""
    spans = re.findall(r'class="span" x="([\d.]+)" y="\d+" width="([\d.]+)"', page)
    return [(float(x) * 24 / WIDTH, float(width) * 24 / WIDTH) for x, width in spans]


@pytest.mark.parametrize(
    ("hours", "days"),
    [
        (1.5, {4: (23, 1), 5: (0, 0.5)}),
        (34, {4: (23, 1), 5: (0, 24), 6: (0, 9)}),
        (None, {4: (23, 1), 5: (0, 24), 6: (0, 24), 7: (0, 8)}),
    ],
    ids=["over midnight", "whole days", "open"],
)
def test_a_day_shows_what_went_on_from_the_day_before(
    site: Site, hours: float | None, days: dict[int, tuple[float, float]]
) -> None:
    begins = START.replace(hour=23)
    given = [status(), opened(1, at=begins)]
    if hours is not None:
        ends = begins + timedelta(hours=hours)
        given.append(closed(1, seq=2, opened_at=begins.isoformat(), at=ends.isoformat()))
    site.log.commit(given, site.clock.sleep(3 * 86_400))
    reader = site.as_(Role.VIEWER)
    for day in range(3, 10):
        page = reader.get(f"/boxes/s1/b1?day=2026-05-0{day}").text
        assert (path_of(1) in page) == (day in days), day
        assert ("Nothing is logged" in page) != (day in days), day
        assert drawn(page) == ([pytest.approx(days[day])] if day in days else []), day


def test_a_day_shows_the_alarms_that_began_before_and_were_not_over(site: Site) -> None:
    site.log.commit([status(), health(camera={"fault": "black"})], site.clock())
    site.log.commit([health()], site.clock.sleep(1.5 * 86_400))
    site.clock.sleep(2 * 86_400)
    reader = site.as_(Role.VIEWER)
    pages = {day: reader.get(f"/boxes/s1/b1?day=2026-05-0{day}").text for day in range(3, 8)}
    assert {day for day, page in pages.items() if "Alarm: fault" in page} == {4, 5}


def test_the_newest_before_a_day_are_asked_whether_they_went_on_and_no_more(
    file_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "LOOK_BACK", 2)
    many = [opened(number) for number in range(1, 4)]
    file_site.log.commit([status(), *many], file_site.clock.sleep(86_400))
    page = file_site.as_(Role.VIEWER).get("/boxes/s1/b1?day=2026-05-05").text
    assert [path_of(number) in page for number in range(1, 4)] == [False, True, True]


def test_what_went_on_counts_as_well_where_there_is_too_much(
    file_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "MOST", 2)
    later = opened(3, at=START + timedelta(days=1))
    file_site.log.commit([status(), opened(1), opened(2), later], file_site.clock.sleep(86_400))
    page = file_site.as_(Role.VIEWER).get("/boxes/s1/b1?day=2026-05-05").text
    assert [path_of(number) in page for number in range(1, 4)] == [False, True, True]
    assert "There is more than is shown here" in page


@pytest.mark.parametrize("year", [1, 2026, 9999])
def test_a_box_cannot_hide_its_day_by_what_it_dates(site: Site, year: int) -> None:
    site.log.commit(
        [status(), opened(1), opened(2, at=datetime(year, 12, 31, 12, tzinfo=UTC))],
        site.clock.sleep(86_400),
    )
    answer = site.as_(Role.VIEWER).get("/boxes/s1/b1")
    assert answer.status_code == 200
    assert "Monday, 2026-05-04" in answer.text


def test_a_day_of_too_much_says_that_there_is_more(file_site: Site) -> None:
    many = [opened(n, at=START + timedelta(seconds=n)) for n in range(1, 320)]
    file_site.log.commit([status(), *many], file_site.clock())
    text = file_site.as_(Role.VIEWER).get("/boxes/s1/b1").text
    assert "There is more than is shown here" in text
    assert text.count('class="entry kind-violation"') == 300


def test_health_that_cannot_be_read_is_no_health(file_site: Site) -> None:
    file_site.log.commit([status(), health()], file_site.clock())
    with file_site.parts.store.writing() as log:
        log.execute(boxes.update().values(health=b'{"from": "another version"}'))
    assert "not said" in row_of(file_site.as_(Role.VIEWER).get("/").text, BOX)


def test_it_says_whether_a_box_looks_and_not_why_it_does_not(site: Site) -> None:
    privacy = {"state": "break", "reason": "water", "since": START.isoformat()}
    site.log.commit([status(), read(received("privacy", privacy), None)], site.clock())
    reader = site.as_(Role.ADMIN)
    for path in ("/", "/boxes/s1/b1"):
        text = reader.get(path).text
        assert "break" in text
        assert "water" not in text


@pytest.mark.parametrize("minutes", [0, 5, 700, 1439])
def test_what_is_drawn_stays_within_the_drawing(minutes: int) -> None:
    begin = START.replace(hour=0) + timedelta(minutes=minutes)
    things = [("phone", begin, begin + timedelta(hours=30)), ("pen", begin, begin)]
    for _, spans in lanes(things, START.replace(hour=0), timedelta(days=1)):
        for span in spans:
            assert span.width >= 2.0
            assert span.x >= 0
            assert span.x + span.width <= WIDTH + 0.1
