"""Kills, locks and fights: nothing is lost, nothing is logged twice."""

import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cleandesk.contract.topics import Address, Channel
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.system.subscriber_rig import Box, Subscriber
from tests.unit.subscriber.make import event_fields, health_fields, hex_id

pytestmark = [pytest.mark.system, needs_mosquitto]

DESK = Address("s1", "b1")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


class Outbox:
    """Sends a box's events, and again until each is answered."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self.sent: dict[int, bytes] = {}

    def send(self, *numbers: int) -> None:
        for seq in numbers:
            self.sent[seq] = json.dumps(event_fields(seq)).encode()
            self._box.send(self.sent[seq])

    def wait_for(self, seq: int) -> None:
        self._box.wait_for(hex_id("event", seq))

    def waiting(self) -> list[int]:
        return [seq for seq in self.sent if not self._box.results(hex_id("event", seq))]

    def drain(self) -> None:
        """Send what has no answer again, each second, until nothing is left."""

        def drained() -> bool:
            for seq in self.waiting():
                self._box.send(self.sent[seq], replayed=True)
            eventually_quiet = time.monotonic() + 1
            while self.waiting() and time.monotonic() < eventually_quiet:
                time.sleep(0.02)
            return not self.waiting()

        eventually(drained, "an answer to every event")


def test_killed_at_random_it_logs_each_event_once(tmp_path: Path, broker: Mosquitto) -> None:
    dice = random.Random(20260504)
    with Box(broker.port, DESK) as box, Subscriber(tmp_path, broker.port) as subscriber:
        outbox = Outbox(box)
        subscriber.started()
        for first in range(1, 400, 40):
            outbox.send(*range(first, first + 40))
            outbox.wait_for(first + dice.randrange(30))
            subscriber.kill()
            subscriber.start()
        outbox.drain()
        assert sorted(subscriber.numbers(DESK)) == sorted(outbox.sent)
        assert subscriber.ask("alarms") == []
        assert subscriber.ask("quarantine") == []
        assert {row["events"] for row in subscriber.ask("log")} == {len(outbox.sent)}


def test_what_was_committed_before_a_kill_is_answered_as_a_duplicate(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with Box(broker.port, DESK) as box, Subscriber(tmp_path, broker.port) as subscriber:
        outbox = Outbox(box)
        subscriber.started()
        outbox.send(1)
        outbox.drain()
        subscriber.kill()
        box.answers.clear()
        outbox.send(1)
        subscriber.start()
        outbox.drain()
        assert box.results(hex_id("event", 1))[:1] == ["duplicate"]
        assert subscriber.numbers(DESK) == [1]


def test_a_locked_log_answers_nothing_and_loses_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    with Box(broker.port, DESK) as box, Subscriber(tmp_path, broker.port) as subscriber:
        outbox = Outbox(box)
        subscriber.started()
        outbox.send(1)
        outbox.drain()
        thief = sqlite3.connect(subscriber.log, isolation_level=None)
        thief.execute("BEGIN EXCLUSIVE")
        outbox.send(*range(2, 60))
        eventually(lambda: "the log cannot be written" in subscriber.words, "the word of it")
        assert outbox.waiting() == list(range(2, 60))
        thief.execute("COMMIT")
        thief.close()
        # Without a re-send: the broker keeps what was not acknowledged, and so did the subscriber.
        eventually(lambda: not outbox.waiting(), "an answer to every event")
        assert subscriber.numbers(DESK) == list(range(1, 60))
        assert "the log is written again" in subscriber.words
        assert subscriber.stop() == 0


def test_it_stops_even_while_the_log_is_locked(tmp_path: Path, broker: Mosquitto) -> None:
    with Box(broker.port, DESK) as box, Subscriber(tmp_path, broker.port) as subscriber:
        outbox = Outbox(box)
        subscriber.started()
        thief = sqlite3.connect(subscriber.log, isolation_level=None)
        thief.execute("BEGIN EXCLUSIVE")
        outbox.send(1)
        eventually(lambda: "the log cannot be written" in subscriber.words, "the word of it")
        assert subscriber.stop() == 0
        thief.execute("COMMIT")
        thief.close()
        subscriber.start()
        eventually(lambda: not outbox.waiting(), "the answer")
        assert box.results(hex_id("event", 1)) == ["committed"]


def connects_anew(subscriber: Subscriber, before: int) -> None:
    eventually(lambda: subscriber.connects() > before, "the subscriber's return")


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_broker_that_goes_and_comes_loses_nothing(
    tmp_path: Path, broker: Mosquitto, how: str
) -> None:
    with Box(broker.port, DESK) as box, Subscriber(tmp_path, broker.port) as subscriber:
        outbox = Outbox(box)
        subscriber.started()
        for first in (1, 101, 201):
            outbox.send(*range(first, first + 100))
            outbox.wait_for(first)
            if how == "kill":
                before = subscriber.connects()
                broker.kill()
                broker.start()
                # The subscriber's session went, too: what is sent before it is back nobody hears.
                connects_anew(subscriber, before)
            else:
                broker.restart()
        outbox.drain()
        assert sorted(subscriber.numbers(DESK)) == list(range(1, 301))
        assert subscriber.ask("alarms", "--kind", "gap") == []


def await_turn(*subscribers: Subscriber) -> None:
    """Wait until one has thrown the other out once more."""
    before = sum(each.connects() for each in subscribers)
    eventually(lambda: sum(each.connects() for each in subscribers) > before, "a change of turns")


def test_two_with_one_client_id_take_turns_and_lose_nothing(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with (
        Box(broker.port, DESK) as box,
        Subscriber(tmp_path, broker.port, "one") as one,
        Subscriber(tmp_path, broker.port, "two") as two,
    ):
        outbox = Outbox(box)
        one.started()
        two.started()
        for first in range(1, 100, 20):
            outbox.send(*range(first, first + 20))
            await_turn(one, two)
        outbox.drain()
        logged = set(one.numbers(DESK)) | set(two.numbers(DESK))
        assert logged == set(range(1, 101))
        assert "client" in one.words


@contextmanager
def speaking(box: Box) -> Iterator[None]:
    """Let a box say all the time how it does."""
    over = threading.Event()

    def speak() -> None:
        while not over.wait(0.3):
            box.send(json.dumps(health_fields()).encode(), Channel.HEALTH)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_one_that_stood_still_calls_no_box_silent(tmp_path: Path, broker: Mosquitto) -> None:
    silent_after_s = 5
    with (
        Box(broker.port, DESK) as box,
        speaking(box),
        Subscriber(tmp_path, broker.port, silent_after_s=silent_after_s) as subscriber,
    ):
        subscriber.started()
        eventually(lambda: subscriber.ask("boxes"), "the box in the log")
        os.kill(subscriber.pid, signal.SIGSTOP)
        time.sleep(silent_after_s + 2)  # so long a box would be silent, if it were
        os.kill(subscriber.pid, signal.SIGCONT)
        box.send(json.dumps(event_fields(1)).encode())
        box.wait_for(hex_id("event", 1))
        assert subscriber.ask("alarms", "--all") == []


def test_a_broker_that_takes_no_answers_is_told_of(tmp_path: Path) -> None:
    rules = tmp_path / "rules.acl"
    denied = f"topic deny {DESK.topic(Channel.ACK)}\ntopic readwrite #\n"
    rules.write_text(denied, encoding="utf-8")
    with (
        Mosquitto(tmp_path, options=[f"acl_file {rules}"]) as broker,
        Box(broker.port, DESK) as box,
        Subscriber(tmp_path, broker.port) as subscriber,
    ):
        subscriber.started()
        Outbox(box).send(1, 2, 3)
        eventually(lambda: "the broker refused an answer" in subscriber.words, "a word about it")
        eventually(lambda: len(subscriber.numbers(DESK)) == 3, "the log")


def test_every_delivery_of_a_batch_is_answered(tmp_path: Path, broker: Mosquitto) -> None:
    desks = [Address("s1", f"b{number}") for number in range(20)]
    with ExitStack() as stack:
        subscriber = stack.enter_context(Subscriber(tmp_path, broker.port, batch={"wait_ms": 500}))
        subscriber.started()
        boxes = [stack.enter_context(Box(broker.port, desk)) for desk in desks]
        for box in boxes:
            for seq in (1, 2):
                name = hex_id("event", seq, box.address)
                box.send(json.dumps(event_fields(seq, event_id=name)).encode())
        for box in boxes:
            for seq in (1, 2):
                box.wait_for(hex_id("event", seq, box.address))
                assert box.results(hex_id("event", seq, box.address)) == ["committed"]
