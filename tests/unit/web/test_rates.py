"""False alarms: counted once each, with an interval that few violations make wide."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk_fleet.subscriber import intake
from cleandesk_fleet.web.queries import rates
from cleandesk_fleet.web.queries.appeals import Decision, Outcome, decide
from cleandesk_fleet.web.queries.rates import wilson
from cleandesk_fleet.web.roles import Role
from tests.unit.subscriber.make import OTHER, START, hex_id, received
from tests.unit.subscriber.test_appeals import appeal_fields
from tests.unit.web.conftest import Site
from tests.unit.web.make import appeal, closed, opened

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("found", "of", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(found: int, of: int, low: float, high: float) -> None:
    assert wilson(found, of) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_an_interval_holds_its_share_and_narrows(found: int, more: int) -> None:
    of = found + more
    low, high = wilson(found, of)
    assert 0 <= low <= high <= 1
    if of:
        assert low <= found / of <= high
        wide, narrow = wilson(found, of), wilson(10 * found, 10 * of)
        assert narrow[1] - narrow[0] < wide[1] - wide[0]


def filled(site: Site) -> None:
    """Six phones of one model, of which two end; a paper of another one."""
    other = {"class": "paper", "model": "b" * 64}
    readings: list[Any] = [opened(n) for n in range(1, 7)]
    readings += [closed(n, seq=10 + n) for n in range(1, 5)]
    readings += [opened(9, more=other), closed(9, seq=30, more=other)]
    readings += [opened(1, box=OTHER), closed(1, seq=2, box=OTHER)]
    readings += [appeal(1), appeal(2), appeal(3), appeal(6)]
    site.log.commit(readings, site.clock())
    decisions = [
        (1, Outcome.UPHELD),
        (2, Outcome.UPHELD),
        (2, Outcome.REJECTED),
        (6, Outcome.UPHELD),
    ]
    with site.parts.store.writing() as log:
        for number, outcome in decisions:
            decide(log, hex_id("appeal", number), Decision(outcome, "x"), "ann", START)


def read(site: Site, since: Any = START - DAY, until: Any = START + DAY) -> list[tuple[Any, ...]]:
    with site.parts.store.reading() as log:
        return [
            (r.class_name, r.model[0], r.closed, r.appealed, r.undecided, r.upheld)
            for r in rates.read(log, since, until)
        ]


def test_only_what_ended_counts_and_the_newest_decision(site: Site) -> None:
    filled(site)
    assert read(site) == [("paper", "b", 1, 0, 0, 0), ("phone", "a", 5, 3, 1, 1)]
    assert read(site, START + DAY, START + 2 * DAY) == []


def test_two_appeals_to_one_violation_are_one_false_alarm(site: Site) -> None:
    site.log.commit([opened(1), closed(1, seq=2), appeal(1), _again(1)], site.clock())
    with site.parts.store.writing() as log:
        decide(log, hex_id("appeal", 1), Decision(Outcome.UPHELD, "x"), "ann", START)
        decide(log, hex_id("appeal", 77), Decision(Outcome.UPHELD, "x"), "ann", START)
    assert read(site) == [("phone", "a", 1, 1, 0, 1)]


def _again(number: int) -> Any:
    fields = appeal_fields(77, violation_id=hex_id("violation", number))
    return intake.read(received("appeal", fields), None)


def test_the_page_says_counts_and_interval_and_never_a_bare_share(site: Site) -> None:
    filled(site)
    text = site.as_(Role.VIEWER).get("/rates?since=2026-05-01&until=2026-05-31").text
    assert "1 of 5: 3.6 to 62.4 %" in text
    assert "20.0 %" not in text
    assert "0 of 1: 0.0 to 79.3 %" in text


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-05-02&until=2026-05-01",
        "since=2020-01-01&until=2026-05-01",
        "until=9999-12-31",
        "since=x",
    ],
)
def test_days_that_cannot_be_are_refused(file_site: Site, query: str) -> None:
    assert file_site.as_(Role.VIEWER).get(f"/rates?{query}").status_code == 422
