"""Two logs on one database, as two subscribers have them, by a clock that moves only by hand."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text

from cleandesk.contract.messages import AckStatus
from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber import store
from cleandesk_fleet.subscriber.alarms import Alarms
from cleandesk_fleet.subscriber.database import Place, end_frozen, open_writer
from cleandesk_fleet.subscriber.intake import Rejected, read
from cleandesk_fleet.subscriber.quarantine import Quarantine
from cleandesk_fleet.subscriber.tables import alarms, boxes, events, gaps, meta, quarantine
from tests.eventually import eventually
from tests.postgresql import needs_postgresql
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import BOX, HandClock, event, health, hex_id, received, status
from tests.unit.subscriber.side import GAP_AFTER_S, Side

pytestmark = [
    needs_postgresql,
    pytest.mark.parametrize("place", ["postgresql"], indirect=True),
]


@pytest.fixture
def seen(sides: tuple[Side, Side], place: Place) -> Kept:
    assert sides
    return Kept(place)


def open_kinds(seen: Kept) -> list[str]:
    return [row["kind"] for row in seen.rows(alarms) if row["closed_at"] is None]


def is_waiting(seen: Kept) -> bool:
    """Say whether somebody waits for a lock of the log's database."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with seen.reader.connect() as connection:
        return bool(connection.scalar(waiting))


def test_one_judges_and_the_other_one_takes_over(sides: tuple[Side, Side]) -> None:
    one, two = sides
    assert [one.look(), two.look()] == [True, False]
    assert [one.look(), two.look()] == [False, False]
    one.vanish()
    eventually(two.look, "a new judge")
    assert not one.look()


def test_who_judges_does_so_while_it_is_seen_anew(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread asks at any time: for figures, and for what people are told."""
    one, two = sides
    said: list[tuple[bool, bool]] = []

    def asked(connection: Connection) -> None:
        said.append((one.log.leads, two.log.leads))
        end_frozen(connection)

    one.look()
    monkeypatch.setattr(store, "end_frozen", asked)
    one.look()
    two.look()
    assert said == [(True, False)] * 2


def test_who_hears_nothing_leaves_it_to_the_other_one(sides: tuple[Side, Side]) -> None:
    one, two = sides
    assert one.look()
    one.look(hears=False)
    assert two.look()
    assert not one.look()


def test_what_boxes_say_about_themselves_is_logged_by_the_judge(
    sides: tuple[Side, Side], seen: Kept
) -> None:
    one, two = sides
    one.look()
    two.take(status("online"))
    assert seen.rows(boxes) == []
    one.take(status("online"))
    assert [row["status"] for row in seen.rows(boxes)] == ["online"]


def test_an_event_goes_into_the_log_once_whoever_gets_it(
    sides: tuple[Side, Side], seen: Kept
) -> None:
    one, two = sides
    assert one.take(event(1)) == [AckStatus.COMMITTED]
    assert two.take(event(1, replayed=True), event(2)) == [
        AckStatus.DUPLICATE,
        AckStatus.COMMITTED,
    ]
    assert [row["seq"] for row in seen.rows(events)] == [1, 2]


def test_what_is_committed_at_the_same_time_is_committed_once(
    sides: tuple[Side, Side], seen: Kept
) -> None:
    dice = random.Random(5)
    desks = [Address("s1", f"b{number}") for number in range(4)]
    every = [
        event(seq, box=desk, event_id=hex_id(desk, seq), violation_id=hex_id(desk, seq // 3))
        for desk in desks
        for seq in range(1, 31)
    ]

    def work(side: Side) -> list[AckStatus | None]:
        mine = dice.sample(every, len(every))
        answers: list[AckStatus | None] = []
        for start in range(0, len(mine), 20):
            answers += side.take(*mine[start : start + 20])
        return answers

    with ThreadPoolExecutor(2) as pool:
        answers = [answer for some in pool.map(work, sides) for answer in some]
    assert answers.count(AckStatus.COMMITTED) == answers.count(AckStatus.DUPLICATE) == len(every)
    assert len(seen.rows(events)) == len(every)
    assert seen.rows(gaps) == []


def test_one_id_of_two_boxes_at_the_same_time_is_logged_for_one_of_them(
    sides: tuple[Side, Side], seen: Kept
) -> None:
    twins = [
        [event(seq, box=Address("s1", box), event_id=hex_id("twin", seq)) for seq in range(1, 9)]
        for box in ("left", "right")
    ]
    with ThreadPoolExecutor(2) as pool:
        answers = [*pool.map(lambda side, some: side.take(*some), sides, twins)]
    flat = [answer for some in answers for answer in some]
    assert flat.count(AckStatus.COMMITTED) == flat.count(AckStatus.QUARANTINED) == 8
    assert len(seen.rows(events)) == 8


def test_what_both_would_drop_from_the_quarantine_is_counted_once(
    sides: tuple[Side, Side], seen: Kept, clock: HandClock
) -> None:
    one, two = sides
    first, second, *before = [
        read(received("violation", b"nonsense %d" % number), None) for number in range(52)
    ]
    one.take(*before)
    mine = Quarantine(clock().utc)
    assert isinstance(first, Rejected)
    mine.keep(first)
    with ThreadPoolExecutor(1) as pool:
        with one.engine.begin() as connection:
            mine.save(connection, 50)
            other = pool.submit(two.take, second)
            eventually(lambda: is_waiting(seen), "a wait for our lock")
        assert other.result() == [AckStatus.QUARANTINED]
    kept = {row["payload"] for row in seen.rows(quarantine)}
    assert kept > {b"nonsense 0", b"nonsense 1"}
    counts = {row["name"]: row["value"] for row in seen.rows(meta)}
    assert counts["quarantine_dropped"] == str(52 - len(kept)) == "1"


def test_an_alarm_that_both_would_end_after_a_quiet_day_is_ended_and_told_once(
    sides: tuple[Side, Side], seen: Kept, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Each set of sites has a judge, and such an alarm may be of none of them."""
    caplog.set_level("INFO")
    one, two = sides
    one.take(read(received("violation", b"nonsense"), None))
    now = clock.sleep(25 * 3600).utc

    def end(side: Side) -> None:
        with side.engine.begin() as connection:
            raised = Alarms(connection, now)
            raised.close_quiet()
        raised.tell()

    with ThreadPoolExecutor(1) as pool:
        with one.engine.begin() as connection:
            first = Alarms(connection, now)
            first.close_quiet()
            other = pool.submit(end, two)
            eventually(lambda: is_waiting(seen), "a wait for our commit")
        first.tell()
        other.result()
    assert open_kinds(seen) == []
    assert [record.message for record in caplog.records].count("alarm over") == 1


def test_a_gap_that_the_other_one_fills_in_time_is_no_alarm(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, two = sides
    one.look()
    one.take(event(1), event(3))
    clock.sleep(GAP_AFTER_S - 1)
    one.look()
    two.take(event(2))
    clock.sleep(GAP_AFTER_S)
    one.look()
    assert seen.rows(alarms) == []


def test_a_gap_that_is_old_is_told_and_ends_whoever_fills_it(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, two = sides
    one.look()
    two.take(event(1), event(3), event(6))
    clock.sleep(GAP_AFTER_S)
    one.look()
    one.look()
    (alarm,) = seen.rows(alarms)
    assert (alarm["kind"], alarm["detail"]) == ("gap", "3 events are missing: seq 2, 4-5")
    two.take(event(2))
    assert seen.rows(alarms)[0]["detail"] == "2 events are missing: seq 4-5"
    one.take(event(4))
    two.take(event(5))
    assert open_kinds(seen) == []


def test_young_gaps_that_come_and_go_do_not_make_an_old_one(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, two = sides
    one.look()
    for seq in range(1, 20, 2):
        one.take(event(seq + 1))
        clock.sleep(GAP_AFTER_S / 4)
        two.take(event(seq))
        one.look()
    assert seen.rows(alarms) == []


def test_a_box_that_the_other_one_hears_is_not_silent(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, two = sides
    one.look()
    one.take(health())
    for seq in range(1, 5):
        clock.sleep(100)
        two.take(event(seq))
        one.look()
    assert open_kinds(seen) == []
    clock.sleep(181)
    one.look()
    two.look()
    assert open_kinds(seen) == ["silent"]
    clock.sleep(1)
    two.take(event(5))
    one.look()
    assert open_kinds(seen) == []


def test_silence_is_judged_rightly_though_not_every_word_is_written_down(
    place: Place, clock: HandClock, seen: Kept
) -> None:
    one, two = (Side(place, clock, seen_within_s=10) for _ in range(2))
    one.look()
    one.take(health())
    written = set()
    for seq in range(1, 101):
        clock.sleep(3)
        two.take(event(seq))
        one.look()
        written |= {row["last_seen"] for row in seen.rows(boxes)}
    assert open_kinds(seen) == []
    assert 25 <= len(written) <= 30
    clock.sleep(191)
    one.look()
    assert open_kinds(seen) == ["silent"]
    two.take(event(101))
    one.look()
    assert open_kinds(seen) == ["silent"], "the alarm is not younger than the word"
    clock.sleep(11)
    two.take(event(102))
    one.look()
    assert open_kinds(seen) == []
    for side in (one, two):
        side.engine.dispose()


def test_a_silence_is_told_once_and_ended_by_the_next_judge(
    sides: tuple[Side, Side], clock: HandClock, seen: Kept
) -> None:
    one, two = sides
    one.look()
    for side in sides:
        side.take(health())
    clock.sleep(181)
    one.look()
    one.vanish()
    eventually(two.look, "a new judge")
    two.look()
    assert len(seen.rows(alarms)) == 1
    two.take(health())
    assert open_kinds(seen) == []


def test_a_judge_who_was_cut_off_logs_no_old_report(sides: tuple[Side, Side], seen: Kept) -> None:
    one, two = sides
    one.look()
    one.log.leave()
    eventually(two.look, "a new judge")
    two.take(status("online"))
    one.take(status("offline"))
    assert [row["status"] for row in seen.rows(boxes)] == ["online"]


def test_a_judge_who_loses_the_server_goes_on(sides: tuple[Side, Side], place: Place) -> None:
    one, two = sides
    one.look()
    admin = open_writer(place, redundant=True)
    with admin.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    admin.dispose()
    for side in sides:
        with pytest.raises(Exception, match="terminat"):
            side.take(event(1))
        side.vanish()
    assert two.take(event(1)) == [AckStatus.COMMITTED]
    eventually(two.look, "a new judge")
    assert not one.look()
    assert one.take(event(1, box=BOX)) == [AckStatus.DUPLICATE]
