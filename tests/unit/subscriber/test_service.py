"""How the service looks around: each second, and no failure of one part is worse than it is."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.mqtt import NotConnectedError, Session
from cleandesk_fleet.subscriber.database import Place
from cleandesk_fleet.subscriber.metrics.figures import Figures
from cleandesk_fleet.subscriber.moments import Moment
from cleandesk_fleet.subscriber.service import LOOK_AROUND_S, TOLD_AGAIN_S, Subscriber
from cleandesk_fleet.subscriber.settings import SubscriberSettings
from cleandesk_fleet.subscriber.store import Log
from tests.eventually import eventually
from tests.unit.subscriber.make import HandClock
from tests.unit.subscriber.side import Side

on_postgresql = pytest.mark.parametrize("place", ["postgresql"], indirect=True)


@dataclass
class Broker:
    """What the session would say of it."""

    there: bool = True
    asked: list[bool] = field(default_factory=list)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """Stand for a broker that comes and goes."""
    broker = Broker()

    def refresh(_: Session) -> None:
        broker.asked.append(broker.there)
        if not broker.there:
            raise NotConnectedError

    monkeypatch.setattr(Session, "connected", property(lambda _: broker.there))
    monkeypatch.setattr(Session, "refresh", refresh)
    return broker


def service(journal: Log, clock: HandClock) -> Subscriber:
    settings = SubscriberSettings(schema=1, broker=BrokerSettings())
    return Subscriber(settings, journal, Figures(), clock)


@pytest.fixture
def side(place: Place, clock: HandClock) -> Iterator[Side]:
    side = Side(place, clock)
    yield side
    side.engine.dispose()


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the reasons that were told, and how often each was."""
    said = [record for record in caplog.records if "not be deleted" in record.message]
    return [record.__dict__["reason"] for record in said]


def test_the_same_failure_is_told_once_a_minute_and_another_one_at_once(
    journal: Log,
    clock: HandClock,
    broker: Broker,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert broker.there
    subscriber, why = service(journal, clock), "not mounted"
    fails = True

    def look_around(_: Moment) -> None:
        if fails:
            raise OSError(why)

    monkeypatch.setattr(journal, "look_around", look_around)

    def look(times: int) -> list[str]:
        caplog.clear()
        for _ in range(times):
            clock.sleep(LOOK_AROUND_S)
            subscriber._look_around()
        return reasons(caplog)

    assert look(int(3 * TOLD_AGAIN_S)) == ["not mounted"] * 3
    why = "full"
    assert look(10) == ["full"]
    fails = False
    assert look(1) == []
    fails = True
    assert look(10) == ["full"]


@on_postgresql
def test_whoever_judges_no_more_asks_the_broker_for_nothing(
    side: Side, clock: HandClock, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriber = service(side.log, clock)
    left: list[float] = []
    leave, lead = side.log.leave, side.log.lead

    def goes_meanwhile(now: Moment, *, hears: bool) -> bool:
        led = lead(now, hears=hears)
        broker.there = False
        return led

    def leaves() -> None:
        left.append(clock().mono)
        leave()

    monkeypatch.setattr(side.log, "leave", leaves)
    monkeypatch.setattr(side.log, "lead", goes_meanwhile)
    for _ in range(5):
        clock.sleep(LOOK_AROUND_S)
        subscriber._look_around()
    assert (left, broker.asked) == ([LOOK_AROUND_S], [False])
    monkeypatch.setattr(side.log, "lead", lead)
    broker.there = True

    def asks() -> bool:
        clock.sleep(LOOK_AROUND_S)
        subscriber._look_around()
        return True in broker.asked

    eventually(asks, "the lock once more")
    assert side.log.leads
