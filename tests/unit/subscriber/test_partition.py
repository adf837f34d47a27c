"""Several who write one log, each for its own sites; and what boxes said while nobody judged."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber import overseeing
from cleandesk_fleet.subscriber.database import Place
from cleandesk_fleet.subscriber.tables import alarms, boxes
from cleandesk_fleet.subscriber.transaction import Transaction
from cleandesk_fleet.subscriber.unlogged import KEPT_S, kept_s
from tests.eventually import eventually
from tests.postgresql import needs_postgresql
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import HandClock, event, health, status
from tests.unit.subscriber.side import GAP_AFTER_S, Side
from tests.unit.subscriber.test_redundancy import open_kinds

pytestmark = [
    needs_postgresql,
    pytest.mark.parametrize("place", ["postgresql"], indirect=True),
]

HERE, THERE = Address("here", "desk"), Address("there", "desk")


@pytest.fixture
def parts(place: Place, clock: HandClock) -> Iterator[tuple[Side, Side]]:
    both = Side(place, clock, sites=["here"]), Side(place, clock, sites=["there"])
    yield both
    for side in both:
        side.engine.dispose()


@pytest.fixture
def seen(place: Place, request: pytest.FixtureRequest) -> Kept:
    for name in {"parts", "sides"} & set(request.fixturenames):
        request.getfixturevalue(name)
    return Kept(place)


def states(seen: Kept) -> dict[str, str]:
    return {row["site"]: row["status"] for row in seen.rows(boxes)}


def test_each_site_is_judged_by_who_hears_it(
    parts: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    here, there = parts
    assert [here.look(), there.look()] == [True, True]
    here.take(status(box=HERE), health(box=HERE))
    there.take(status(box=THERE), health(box=THERE))
    assert states(seen) == {"here": "online", "there": "online"}
    for _ in range(4):
        clock.sleep(100)
        here.take(health(box=HERE))
        there.take(health(box=THERE))
        for side in parts:
            side.look()
    assert seen.rows(alarms) == []
    clock.sleep(100)
    there.take(health(box=THERE))
    clock.sleep(100)
    for side in parts:
        side.look()
    (alarm,) = seen.rows(alarms)
    assert (alarm["kind"], alarm["site"]) == ("silent", "here")


def test_a_site_is_judged_by_the_next_one_who_hears_it(
    place: Place, parts: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    here, _ = parts
    here.look()
    here.take(health(box=HERE))
    clock.sleep(181)
    here.look()
    beside = Side(place, clock, sites=["here"])
    assert not beside.look()
    here.vanish()
    eventually(beside.look, "a new judge")
    assert open_kinds(seen) == ["silent"]
    beside.take(health(box=HERE))
    assert open_kinds(seen) == []
    beside.engine.dispose()


def test_who_begins_expects_nobody_of_other_sites(
    place: Place, parts: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    here, _ = parts
    here.look()
    here.take(health(box=HERE))
    later = Side(place, clock, sites=["there"])
    later.look()
    # `here` stands still: nothing but whose sites these are keeps the other one from judging.
    clock.sleep(300)
    later.look()
    assert seen.rows(alarms) == []
    later.engine.dispose()


def test_an_old_gap_is_told_by_who_hears_its_site(
    parts: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    here, there = parts
    here.look()
    here.take(event(2, box=HERE))
    there.take(event(3, box=THERE, event_id="a" * 32))
    clock.sleep(GAP_AFTER_S)
    here.look()
    assert [row["site"] for row in seen.rows(alarms)] == ["here"]
    there.look()
    assert sorted(row["site"] for row in seen.rows(alarms)) == ["here", "there"]


def test_what_boxes_say_while_nobody_judges_is_logged_by_the_next_one(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, two = sides
    one.look()
    for side in sides:
        side.take(status("offline", box=HERE), status(box=THERE))
    assert open_kinds(seen) == ["offline"]
    one.vanish()
    clock.sleep(KEPT_S)
    two.take(status("online", box=HERE), status("stopped", box=THERE))
    assert states(seen) == {"here": "offline", "there": "online"}
    eventually(two.look, "a new judge")
    assert states(seen) == {"here": "online", "there": "stopped"}
    assert open_kinds(seen) == []


def test_what_boxes_say_to_others_while_the_judge_hears_nothing_is_logged(
    place: Place, sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, _ = sides
    one.look()
    keepalive_s = 600.0
    other = Side(place, clock, unlogged_s=kept_s(keepalive_s))
    one.take(status(box=HERE))
    other.take(status("offline", box=HERE))
    clock.sleep(2 * keepalive_s)  # so late paho gives up
    assert not other.look()
    one.look(hears=False)
    assert other.look()
    assert states(seen) == {"here": "offline"}
    other.engine.dispose()


def test_what_was_said_long_before_is_left_to_who_judged_then(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, two = sides
    one.look()
    two.take(status("offline", box=HERE))
    one.take(status(box=HERE))
    clock.sleep(KEPT_S + 1)
    one.vanish()
    eventually(two.look, "a new judge")
    assert states(seen) == {"here": "online"}


def test_what_is_said_before_the_first_look_is_logged(sides: tuple[Side, Side], seen: Kept) -> None:
    one, _ = sides
    one.take(status(box=HERE))
    assert states(seen) == {}
    assert one.look()
    assert states(seen) == {"here": "online"}


def test_what_is_logged_late_is_no_sign_of_life(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, _ = sides
    one.take(status(box=HERE))
    clock.sleep(KEPT_S)
    one.look()
    assert [(row["status"], row["last_seen"]) for row in seen.rows(boxes)] == [("online", None)]


def test_whoever_was_cut_off_while_judging_logs_no_old_report(
    sides: tuple[Side, Side], seen: Kept
) -> None:
    one, two = sides
    one.look()
    with one.engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    with seen.reader.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    eventually(two.look, "a new judge")
    two.take(status("online", box=HERE))
    with pytest.raises(DBAPIError, match="terminat"):
        one.look()
    one.take(status("offline", box=HERE))
    assert states(seen) == {"here": "online"}
    assert not one.look()


def test_whoever_fails_as_it_begins_to_judge_begins_once_more(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement fails, the connection does not: it would hold the lock, and nobody judge."""
    one, two = sides
    one.look()
    one.take(health(box=HERE))
    clock.sleep(181)
    one.look()
    two.take(status("offline", box=THERE))
    one.vanish()

    def fails(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("it took too long"))

    with monkeypatch.context() as broken:
        broken.setattr(overseeing, "known_silent", fails)
        eventually(lambda: begins_in_vain(two), "a failure with the lock")
    assert not two.log.leads
    eventually(two.look, "the lock once more")
    assert states(seen)["there"] == "offline"
    two.take(health(box=HERE))
    assert open_kinds(seen) == ["offline"]


def begins_in_vain(side: Side) -> bool:
    try:
        side.look()
    except OperationalError:
        return True
    return False


def test_what_cannot_be_logged_late_is_tried_again(
    sides: tuple[Side, Side], seen: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = sides
    one.take(status(box=HERE))

    def is_full(_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(Transaction, "finish", is_full)
        with pytest.raises(OSError, match="full"):
            one.look()
    eventually(one.look, "the lock once more")
    assert states(seen) == {"here": "online"}
