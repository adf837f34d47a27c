"""Several subscribers on one log: any of them may be killed, and nothing is lost or doubled."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url

from cleandesk.contract.topics import Address, Channel
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.postgresql import PostgreSQL, needs_postgresql, words_of
from tests.system.subscriber_rig import Box, Subscriber
from tests.unit.subscriber.make import event_fields, health_fields, hex_id, status_fields

pytestmark = [pytest.mark.system, needs_mosquitto, needs_postgresql]

DESKS = [Address("s1", f"b{number}") for number in range(3)]
FREEZES = int(os.environ.get("FREEZES", "0"))
#: A killed subscriber's messages come again soon; a box would wait longer.
AGAIN_S = 2.0
GAP_AFTER_S = 4


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    server = PostgreSQL(options=()).start()
    yield server
    server.close()


@pytest.fixture
def url(server: PostgreSQL) -> str:
    return words_of(server.empty())


Pair = tuple[Subscriber, Subscriber]


@contextmanager
def two(tmp_path: Path, port: int, url: str, **more: object) -> Iterator[Pair]:
    """Two subscribers of one log, not started yet."""
    shared = {
        "store": {"url": url},
        "redundancy": {"group": "a-secret-of-the-two", "gap_after_s": GAP_AFTER_S},
    } | more
    with (
        Subscriber(tmp_path, port, "one", client_id="one", **shared) as one,
        Subscriber(tmp_path, port, "two", client_id="two", **shared) as other,
    ):
        yield one, other


@pytest.fixture
def pair(tmp_path: Path, broker: Mosquitto, url: str) -> Iterator[Pair]:
    with two(tmp_path, broker.port, url) as both:
        yield both


@pytest.fixture
def watchful(tmp_path: Path, broker: Mosquitto, url: str) -> Iterator[Pair]:
    """Two that take silence seriously."""
    with two(tmp_path, broker.port, url, silent_after_s=5) as both:
        for each in both:
            each.started()
        yield both


class Outbox:
    """Sends a box's events, and each one again until it is answered."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._sent: dict[int, tuple[bytes, float]] = {}

    def send(self, *numbers: int) -> None:
        for seq in numbers:
            payload = json.dumps(self._fields(seq)).encode()
            self._sent[seq] = (payload, time.monotonic())
            self._box.send(payload)

    @property
    def numbers(self) -> list[int]:
        return sorted(self._sent)

    def waiting(self) -> list[int]:
        """Return which have no answer, and send those again that wait for long."""
        now = time.monotonic()
        left = [seq for seq in self._sent if not self._box.results(self._id(seq))]
        for seq in left:
            payload, sent_at = self._sent[seq]
            if now - sent_at > AGAIN_S:
                self._sent[seq] = (payload, now)
                self._box.send(payload, replayed=True)
        return left

    def times_committed(self) -> set[int]:
        return {self._box.results(self._id(seq)).count("committed") for seq in self._sent}

    def _id(self, seq: int) -> str:
        return hex_id(self._box.address, seq)

    def _fields(self, seq: int) -> dict[str, object]:
        box = self._box.address
        return event_fields(
            seq, event_id=self._id(seq), epoch=hex_id(box), violation_id=hex_id(box, "v")
        )


@pytest.fixture
def outboxes(broker: Mosquitto) -> Iterator[list[Outbox]]:
    boxes = [Box(broker.port, desk) for desk in DESKS]
    for box in boxes:
        box.__enter__()
    yield [Outbox(box) for box in boxes]
    for box in boxes:
        box.__exit__()


def connected(subscriber: Subscriber) -> bool:
    return subscriber.connects() > 0


def answered_some(outbox: Outbox, before: int) -> bool:
    return len(outbox.waiting()) < before


def drained(outboxes: list[Outbox]) -> None:
    eventually(lambda: not any(box.waiting() for box in outboxes), "all answers", within_s=60)


def times_are(outbox: Outbox, times: set[int]) -> bool:
    return outbox.times_committed() == times


def test_both_start_at_once_on_an_empty_database_and_share_the_work(
    pair: Pair, outboxes: list[Outbox]
) -> None:
    for each in pair:
        each.start()
    for each in pair:
        eventually(partial(connected, each), "both connections")
    for box in outboxes:
        box.send(*range(1, 101))
    drained(outboxes)
    for desk, box in zip(DESKS, outboxes, strict=True):
        assert sorted(pair[0].numbers(desk)) == box.numbers
        # What was sent twice may be answered by the other one first: that it has it already.
        eventually(partial(times_are, box, {1}), "that each was committed once")
    # What both did at the same time filled each other's gaps before they were old.
    assert pair[0].ask("alarms", "--all") == []
    assert {row["events"] for row in pair[1].ask("log")} == {100}


def test_killed_at_random_in_turns_they_log_each_event_once(
    pair: Pair, outboxes: list[Outbox]
) -> None:
    dice = random.Random(20261128)
    for each in pair:
        each.started()
    for first in range(1, 241, 40):
        some = dice.choice(outboxes)
        # Counted ahead: all may be answered before anybody could count.
        sent = len(some.waiting()) + 40
        for box in outboxes:
            box.send(*range(first, first + 40))
        eventually(partial(answered_some, some, sent), "an answer")
        victim = dice.choice(pair)
        victim.kill()
        victim.start()
    drained(outboxes)
    for desk, box in zip(DESKS, outboxes, strict=True):
        assert sorted(pair[0].numbers(desk)) == box.numbers
    eventually(lambda: pair[0].ask("alarms") == [], "that no gap is left")
    assert pair[0].ask("quarantine") == []
    assert {row["events"] for row in pair[0].ask("log")} == {240}


def test_the_one_that_is_left_goes_on_alone(pair: Pair, outboxes: list[Outbox]) -> None:
    for each in pair:
        each.started()
    outboxes[0].send(*range(1, 50))
    pair[0].kill()
    outboxes[0].send(*range(50, 100))
    drained(outboxes)
    assert sorted(pair[1].numbers(DESKS[0])) == list(range(1, 100))


def test_an_event_that_nobody_has_is_told_once_it_is_old(
    pair: Pair, outboxes: list[Outbox]
) -> None:
    for each in pair:
        each.started()
    outboxes[0].send(1, 3)
    drained(outboxes)
    eventually(lambda: pair[0].ask("alarms", "--kind", "gap"), "the alarm")
    (gap,) = pair[0].ask("alarms")
    assert (gap["kind"], gap["detail"]) == ("gap", "1 events are missing: seq 2")
    (beyond,) = [row for row in pair[0].ask("log", "--events") if row["seq"] == 3]
    told, logged = map(datetime.fromisoformat, (gap["opened_at"], beyond["received_at"]))
    assert told - logged >= timedelta(seconds=GAP_AFTER_S), "not before it is old"
    outboxes[0].send(2)
    drained(outboxes)
    assert pair[0].ask("alarms") == []
    assert len(pair[0].ask("alarms", "--all")) == 1


def closed(subscriber: Subscriber, alarm: int) -> bool:
    """Say whether an alarm is over."""
    alarms = subscriber.ask("alarms", "--all")
    return any(row["id"] == alarm and row["closed_at"] for row in alarms)


def leader(pair: Pair) -> Pair:
    """Wait until one judges for all; return it and the other one."""
    eventually(lambda: any("judges for all" in each.words for each in pair), "who judges")
    first, second = pair
    return (first, second) if "judges for all" in first.words else (second, first)


def test_a_box_that_falls_silent_while_the_judge_is_killed_is_told_once(
    watchful: Pair, broker: Mosquitto
) -> None:
    judge, other = leader(watchful)
    with Box(broker.port, Address("s1", "quiet")) as quiet:
        quiet.send(json.dumps(status_fields()).encode(), Channel.STATUS)
        eventually(lambda: judge.ask("boxes", "--box", "quiet"), "the box in the log")
        judge.kill()
        eventually(lambda: "judges for all" in other.words, "a new judge")
        eventually(lambda: other.ask("alarms", "--kind", "silent"), "the alarm")
        judge.started()
        (told,) = other.ask("alarms", "--all", "--kind", "silent", "--box", "quiet")
        quiet.send(json.dumps(health_fields()).encode(), Channel.HEALTH)
        eventually(lambda: closed(other, told["id"]), "the end of it")


@pytest.mark.parametrize("retain", [True, False], ids=["retained", "said once"])
def test_what_a_box_said_while_nobody_judged_is_logged(
    pair: Pair, broker: Mosquitto, *, retain: bool
) -> None:
    for each in pair:
        each.started()
    judge, other = leader(pair)
    with Box(broker.port, Address("s1", "desk")) as desk:
        judge.kill()
        desk.client.publish(
            desk.address.topic(Channel.STATUS),
            json.dumps(status_fields()).encode(),
            qos=1,
            retain=retain,
        )
        eventually(lambda: other.ask("boxes", "--box", "desk"), "the box in the log")
        (row,) = other.ask("boxes", "--box", "desk")
        assert row["status"] == "online"


@pytest.fixture
def quick(tmp_path: Path, broker: Mosquitto, url: str) -> Iterator[Pair]:
    """Two of which the broker notices soon when one does not answer."""
    link = {"host": "127.0.0.1", "port": broker.port, "keepalive_s": 5}
    link |= {"retry_min_s": 0.1, "retry_max_s": 0.5}
    with two(tmp_path, broker.port, url, broker=link) as both:
        for each in both:
            each.started()
        yield both


@pytest.mark.skipif(not FREEZES, reason="takes 20 s a turn: `make test-scale` does 2")
def test_frozen_in_turns_they_hold_up_nothing_and_one_judges(
    quick: Pair, url: str, outboxes: list[Outbox]
) -> None:
    judge, other = leader(quick)
    for first in range(1, 100 * FREEZES, 100):
        said = other.words.count("judges for all")
        for box in outboxes:
            box.send(*range(first, first + 50))
        os.kill(judge.pid, signal.SIGSTOP)
        for box in outboxes:
            box.send(*range(first + 50, first + 100))
        judged = partial(_said_so, other, said)
        eventually(judged, "a new judge")
        drained(outboxes)
        os.kill(judge.pid, signal.SIGCONT)
        judge, other = other, judge
    for desk, box in zip(DESKS, outboxes, strict=True):
        assert sorted(judge.numbers(desk)) == box.numbers
    eventually(lambda: judge.ask("alarms") == [], "that no gap is left")
    assert judge.ask("quarantine") == []
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND"
    for one in ("objid = 7205003", "classid = 7205005"):
        assert PostgreSQL.ask(make_url(url), f"{held} {one}") == 1


def _said_so(subscriber: Subscriber, before: int) -> bool:
    return subscriber.words.count("judges for all") > before


def test_a_server_that_crashes_and_comes_back_loses_nothing(
    tmp_path: Path, broker: Mosquitto, outboxes: list[Outbox]
) -> None:
    server = PostgreSQL(options=()).start()
    try:
        with two(tmp_path, broker.port, words_of(server.empty())) as both:
            for each in both:
                each.started()
            outboxes[0].send(*range(1, 100))
            server.kill()
            outboxes[0].send(*range(100, 200))
            server.run()
            drained(outboxes)
            assert sorted(both[1].numbers(DESKS[0])) == list(range(1, 200))
    finally:
        server.close()
