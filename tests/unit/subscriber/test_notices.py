"""Which violations people are told of, and when: entered with the event, made into messages."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cleandesk.contract.messages import Severity
from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.intake import Reading
from cleandesk_fleet.subscriber.notices import outbox
from cleandesk_fleet.subscriber.notices.choosing import Wanted, Way
from cleandesk_fleet.subscriber.notices.outbox import Message
from cleandesk_fleet.subscriber.notices.table import notices
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.transaction import Terms
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import HandClock, event, hex_id

EVERY, LEASE, GIVE_UP = timedelta(seconds=60), timedelta(seconds=30), timedelta(hours=2)
HOOK = Way.WEBHOOK


class Site:
    """A log whose severe violations are to be told."""

    def __init__(self, engine: Engine, clock: HandClock) -> None:
        self._engine, self._clock = engine, clock
        self.wanted = Wanted((HOOK,))

    def take(self, *readings: Reading) -> None:
        terms = Terms(Album(Pictures(Path("no-stills")), timedelta(1)), 50, notices=self.wanted)
        Log(self._engine, silent_after_s=180, terms=terms).commit(readings, self._clock())

    def next(self, way: Way = HOOK) -> Message | None:
        """Take what is to be told now, as a courier does."""
        with self._engine.begin() as connection:
            now = self._clock().utc
            return outbox.take(connection, way, now, every=EVERY, lease=LEASE)

    def told(self) -> list[str]:
        """Take what is to be told now, and say that it was: which violations."""
        message = self.next()
        if message is None:
            return []
        with self._engine.begin() as connection:
            outbox.taken(connection, message, self._clock().utc)
        return [row["violation_id"] for row in message.violations]

    def fail(self, message: Message | None) -> float | None:
        """Say that a try failed; return in how many seconds it is made again, if it is."""
        assert message is not None
        now = self._clock().utc
        with self._engine.begin() as connection:
            next_at = outbox.failed(connection, message, now, GIVE_UP)
        return None if next_at is None else (next_at - now).total_seconds()


@pytest.fixture
def site(engine: Engine, clock: HandClock) -> Site:
    return Site(engine, clock)


def violation(number: int, *, severity: str = "high", site: str = "s1") -> Reading:
    """Return the one event of a violation of its own."""
    box = Address(site, "b1")
    ids = [hex_id(what, number, box) for what in ("event", "epoch")]
    return event(
        1,
        box=box,
        violation_id=name(number),
        severity=severity,
        event_id=ids[0],
        epoch=ids[1],
    )


def name(number: int) -> str:
    return hex_id("v", number)


def test_a_severe_violation_is_told_once(site: Site, clock: HandClock) -> None:
    site.take(event(1))
    site.take(event(2, phase="update"), event(3, phase="close"))
    assert site.told() == [hex_id("violation")]
    clock.sleep(3600)
    site.take(event(4, phase="update"))
    assert site.told() == []


def test_one_of_which_the_end_came_first_is_told_too(site: Site) -> None:
    site.take(event(2, phase="close"), event(1))
    assert site.told() == [hex_id("violation")]


def test_what_is_told_is_what_and_where_and_no_more(site: Site) -> None:
    site.take(violation(1))
    message = site.next()
    assert message is not None
    (row,) = message.violations
    told = {"site", "box", "violation_id", "severity", "rule", "class", "opened_at", "clock_synced"}
    own = {"id", "way", "received_at", "message", "made_at", "attempts"}
    own |= {"next_at", "sent_at", "given_up_at"}
    assert set(row) == told | own


@pytest.mark.parametrize(
    ("least", "told"),
    [
        (Severity.LOW, ["low", "medium", "high"]),
        (Severity.MEDIUM, ["medium", "high"]),
        (Severity.HIGH, ["high"]),
    ],
)
def test_the_site_says_how_severe_is_severe(site: Site, least: Severity, told: list[str]) -> None:
    site.wanted = Wanted((HOOK,), Severity.HIGH, {"s1": least})
    every = ["low", "medium", "high"]
    site.take(*(violation(number, severity=one) for number, one in enumerate(every)))
    site.take(violation(9, site="s2", severity="medium"))
    assert site.told() == [name(every.index(one)) for one in told]


def test_a_site_may_want_to_hear_of_nothing(site: Site) -> None:
    site.wanted = Wanted((HOOK,), Severity.LOW, {"s1": "never"})
    site.take(violation(1), violation(2, site="s2"))
    assert site.told() == [name(2)]


def test_one_that_becomes_severe_is_told_then(site: Site) -> None:
    site.take(event(1, severity="low"))
    assert site.told() == []
    site.take(event(2, severity="high", phase="update"))
    assert site.told() == [hex_id("violation")]


def test_by_default_nobody_is_told(journal: Log, clock: HandClock, kept: Kept) -> None:
    journal.commit([violation(1)], clock())
    assert kept.rows(notices) == []


def test_each_way_is_told_for_itself(site: Site) -> None:
    site.wanted = Wanted((HOOK, Way.MAIL))
    site.take(violation(1))
    assert site.told() == [name(1)]
    message = site.next(Way.MAIL)
    assert message is not None
    assert message.way is Way.MAIL


def test_a_flood_becomes_few_messages(site: Site, clock: HandClock) -> None:
    site.take(violation(0))
    assert site.told() == [name(0)]
    for number in range(1, 21):
        site.take(violation(number))
        assert site.told() == []
        clock.sleep(1.5)
    clock.sleep(30)
    assert site.told() == [name(number) for number in range(1, 21)]


def test_a_message_holds_a_bounded_number_and_the_rest_follows(
    site: Site, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_IN_ONE", 3)
    site.take(*(violation(number) for number in range(5)))
    assert site.told() == [name(0), name(1), name(2)]
    clock.sleep(60)
    assert site.told() == [name(3), name(4)]


def test_a_try_that_failed_is_made_again_with_the_same_name_and_the_same_words(
    site: Site, clock: HandClock
) -> None:
    site.take(violation(1))
    first = site.next()
    assert first is not None
    assert site.fail(first)
    site.take(violation(2))
    assert site.next() is None, "before its time"
    clock.sleep(outbox.RETRY_MIN_S)
    again = site.next()
    assert again is not None
    assert (again.name, again.made_at, again.attempts) == (first.name, first.made_at, 2)
    assert [row["violation_id"] for row in again.violations] == [name(1)]


def test_tries_become_rarer_and_end(site: Site, clock: HandClock) -> None:
    site.take(violation(1))
    waits: list[float] = []
    while (wait_s := site.fail(site.next())) is not None:
        waits.append(wait_s)
        clock.sleep(wait_s / 2)
        assert site.next() is None, "before its time"
        clock.sleep(wait_s / 2)
    assert waits[0] <= outbox.RETRY_MIN_S
    assert waits[0] < waits[2] < max(waits) <= outbox.RETRY_MAX_S
    assert GIVE_UP.total_seconds() <= clock.seconds < GIVE_UP.total_seconds() + outbox.RETRY_MAX_S
    clock.sleep(GIVE_UP.total_seconds())
    assert site.next() is None


def test_what_was_taken_by_one_who_was_killed_is_tried_again_after_the_lease(
    site: Site, clock: HandClock
) -> None:
    site.take(violation(1))
    lost = site.next()
    assert site.next() is None
    clock.sleep(LEASE.total_seconds())
    again = site.next()
    assert lost is not None
    assert again is not None
    assert again.name == lost.name


def test_a_clock_that_jumped_back_holds_up_nothing(site: Site, clock: HandClock) -> None:
    clock.sleep(10**6)
    site.take(violation(1))
    assert site.next() is not None
    clock.sleep(-(10.0**6))
    assert site.told() == [name(1)]
