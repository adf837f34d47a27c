"""Pages by key hold each row once, in order, whatever the filters and sizes are."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import hypothesis
import pytest
from hypothesis import strategies as st

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.tables import violations as table
from cleandesk_fleet.web.errors import NotFoundError, WrongInputError
from cleandesk_fleet.web.queries import filters, violations
from cleandesk_fleet.web.queries.filters import Wanted
from cleandesk_fleet.web.queries.paging import decode, encode
from cleandesk_fleet.web.roles import Role
from tests.unit.subscriber.make import BOX, OTHER, START
from tests.unit.web.conftest import Site
from tests.unit.web.make import closed, opened

FILTERS: list[dict[str, str]] = [
    {},
    {"site": "s1"},
    {"site": "s1", "box": "b2"},
    {"class": "paper"},
    {"class": "nothing"},
    {"rule": "no-paper", "severity": "low"},
    {"state": "open"},
    {"state": "closed", "class": "phone"},
    {"since": "2026-05-05"},
    {"until": "2026-05-04"},
    {"since": "2026-05-05", "until": "2026-05-05", "severity": "high"},
]


@pytest.fixture
def filled(site: Site) -> Site:
    """Forty violations; in each ten minutes four share their moment."""
    readings = []
    for number in range(1, 41):
        paper = number % 3 == 0
        changes: dict[str, Any] = {
            "class": "paper" if paper else "phone",
            "rule": "no-paper" if paper else "no-phone",
            "severity": "low" if paper else "high",
        }
        at = START + timedelta(minutes=10 * (number // 4), days=number // 20)
        box = (BOX, OTHER, Address("s2", "b1"))[number % 3]
        readings.append(opened(number, at=at, box=box, **changes))
        if number % 5 == 0:
            readings.append(closed(number, seq=100 + number, box=box, **changes))
    site.log.commit(readings, site.clock())
    return site


def pages(site: Site, wanted: Wanted, size: int) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    after: str | None = None
    while True:
        with site.parts.store.reading() as connection:
            page = violations.page(connection, wanted, after, size)
        found.append(list(page.rows))
        after = page.after
        if after is None:
            return found


def fits(row: dict[str, Any], given: dict[str, str]) -> bool:
    plain = {
        name: given[name] for name in ("site", "box", "class", "rule", "severity") if name in given
    }
    day = row["opened_at"].strftime("%Y-%m-%d")
    return (
        all(row[name] == value for name, value in plain.items())
        and given.get("since", "") <= day <= given.get("until", "9999")
        and given.get("state", "") in {"", "closed" if row["closed_at"] else "open"}
    )


def test_all_pages_together_are_what_fits(filled: Site) -> None:
    every = filled.rows(table)
    assert len(every) == 40
    for given in FILTERS:
        for size in (1, 7, 100):
            check(filled, every, given, size)


def check(filled: Site, every: list[dict[str, Any]], given: dict[str, str], size: int) -> None:
    shown = [row for page in pages(filled, filters.read(given), size) for row in page]
    key = ("opened_at", "site", "box", "violation_id")
    wanted = sorted(
        (tuple(row[name] for name in key) for row in every if fits(row, given)), reverse=True
    )
    assert [tuple(row[name] for name in key) for row in shown] == wanted, (given, size)


def test_what_comes_meanwhile_moves_no_page(filled: Site) -> None:
    with filled.parts.store.reading() as connection:
        first = violations.page(connection, Wanted(), None, 10)
    filled.log.commit([opened(900, at=START + timedelta(days=9))], filled.clock())
    with filled.parts.store.reading() as connection:
        second = violations.page(connection, Wanted(), first.after, 10)
    ids = [row["violation_id"] for row in [*first.rows, *second.rows]]
    assert len(set(ids)) == 20


def test_an_address_carries_filters_and_key_and_leads_through_all(filled: Site) -> None:
    reader = filled.as_(Role.VIEWER)
    filled.log.commit(
        [opened(n, at=START + timedelta(minutes=n)) for n in range(1000, 1060)],
        filled.clock(),
    )
    path, seen = "/violations?class=phone&severity=high", []
    while True:
        text = reader.get(path).text
        seen += re.findall(r'href="(/violations/s[^"]+)"', text)
        more = re.search(r'rel="next" href="([^"]+)"', text)
        if more is None:
            break
        path = more[1].replace("&amp;", "&")
        assert "class=phone" in path
    phones = [row for row in filled.rows(table) if row["class"] == "phone"]
    assert len(seen) == len(set(seen)) == len(phones)


@hypothesis.given(st.text(max_size=80))
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(NotFoundError):
        decode(text, str, str)


@hypothesis.given(
    st.datetimes(timezones=st.just(UTC)),
    st.text(st.characters(exclude_characters="\0"), max_size=60),
    st.integers(-(2**62), 2**62),
)
def test_a_key_comes_back_as_it_went(moment: Any, text: str, number: int) -> None:
    encoded = encode((moment, text, number))
    if len(encoded) <= 600:
        assert decode(encoded, datetime, str, int) == (moment, text, number)


@pytest.mark.parametrize(
    "given",
    [
        {"since": "yesterday"},
        {"until": "9999-12-31"},
        {"severity": "worst"},
        {"state": "ajar"},
        {"class": "x" * 201},
        {"box": "a\0b"},
    ],
)
def test_a_filter_that_cannot_be_says_so(file_site: Site, given: dict[str, str]) -> None:
    with pytest.raises(WrongInputError):
        filters.read(given)
    answer = file_site.as_(Role.VIEWER).get("/violations", params=given)
    assert answer.status_code == 422
    assert "That filter cannot be" in answer.text


@pytest.mark.parametrize("given", FILTERS, ids=str)
def test_filters_come_back_from_an_address_as_they_went(given: dict[str, str]) -> None:
    wanted = filters.read(given)
    assert filters.read(dict(parse_qsl(wanted.query()))) == wanted
