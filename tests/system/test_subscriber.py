"""The subscriber's service on a real broker: logged once, answered always."""

import hashlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cleandesk.contract.topics import Address, Channel
from tests.eventually import PATIENCE_S, eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.system.subscriber_rig import PROGRAM, Box, Subscriber
from tests.unit.subscriber.make import (
    event_fields,
    health_fields,
    hex_id,
    status_fields,
)

pytestmark = [pytest.mark.system, needs_mosquitto]

DESK = Address("s1", "b1")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


@pytest.fixture
def subscriber(tmp_path: Path, broker: Mosquitto) -> Iterator[Subscriber]:
    with Subscriber(tmp_path, broker.port) as process:
        yield process


@pytest.fixture
def box(broker: Mosquitto) -> Iterator[Box]:
    with Box(broker.port, DESK) as client:
        yield client


def event(seq: int, **changes: Any) -> bytes:
    return json.dumps(event_fields(seq, **changes)).encode()


def answered(box: Box, *numbers: int, times: int = 1) -> None:
    for seq in numbers:
        box.wait_for(hex_id("event", seq), times)


def test_logs_and_answers_each_delivery(subscriber: Subscriber, box: Box) -> None:
    subscriber.started()
    box.send(event(1))
    answered(box, 1)
    box.send(event(1), replayed=True)
    box.send(event(2, phase="close"))
    answered(box, 1, times=2)
    answered(box, 2)
    assert box.results(hex_id("event", 1)) == ["committed", "duplicate"]
    (violation,) = subscriber.ask("log")
    assert (violation["class"], violation["reason"], violation["events"]) == ("phone", "cleared", 2)
    assert subscriber.numbers(DESK) == [1, 2]


def test_answers_what_it_cannot_read(subscriber: Subscriber, box: Box) -> None:
    subscriber.started()
    hostile = [b"", b"\xff", b"[" * 50_000, b'{"seq": NaN}', b"\0", b"x" * 300_000]
    for payload in hostile:
        box.send(payload)
    ids = [f"sha256:{hashlib.sha256(payload).hexdigest()}" for payload in hostile]
    for answer_id in ids:
        box.wait_for(answer_id)
        assert box.results(answer_id) == ["quarantined"]
        assert box.reasons[answer_id]
    box.send(event(1))
    answered(box, 1)
    assert len(subscriber.ask("quarantine")) == len(hostile)


def test_keeps_what_came_while_it_was_away(subscriber: Subscriber, box: Box) -> None:
    subscriber.started()
    assert subscriber.stop() == 0
    for seq in range(1, 41):
        box.send(event(seq))
    subscriber.start()
    answered(box, *range(1, 41))
    assert subscriber.numbers(DESK) == list(range(1, 41))


def test_leaves_in_order_on_a_signal(subscriber: Subscriber, box: Box) -> None:
    subscriber.started()
    for seq in range(1, 200):
        box.send(event(seq))
    answered(box, 1)
    assert subscriber.stop() == 0
    assert "subscriber stopped" in subscriber.words
    logged = subscriber.numbers(DESK)
    for seq in logged:
        answered(box, seq)
    subscriber.start()
    answered(box, *range(1, 200))
    assert subscriber.numbers(DESK) == list(range(1, 200))
    assert subscriber.ask("alarms") == []


def test_knows_boxes_and_raises_alarms(tmp_path: Path, broker: Mosquitto, box: Box) -> None:
    with Subscriber(tmp_path, broker.port, silent_after_s=5) as subscriber:
        subscriber.started()
        box.send(json.dumps(status_fields()).encode(), Channel.STATUS)
        fault = {"fault": "stalled", "fault_detail": "no frame for 5 s"}
        box.send(json.dumps(health_fields(camera=fault)).encode(), Channel.HEALTH)
        box.send(event(3))
        answered(box, 3)

        def kinds() -> set[str]:
            return {row["kind"] for row in subscriber.ask("alarms")}

        eventually(lambda: kinds() == {"gap", "fault", "silent"}, "the alarms")
        (row,) = subscriber.ask("boxes")
        assert (row["box"], row["status"], row["top"], row["missing"]) == ("b1", "online", 3, 2)
        box.send(event(1))
        box.send(event(2))

        def over() -> bool:
            # Said each time: five seconds later it would be silent again.
            box.send(json.dumps(health_fields(uptime_s=200)).encode(), Channel.HEALTH)
            return kinds() == set()

        eventually(over, "the end of the alarms")
        assert "alarm over" in subscriber.words


def test_follows_the_log_while_it_is_written(subscriber: Subscriber, box: Box) -> None:
    subscriber.started()
    box.send(event(1))
    answered(box, 1)
    follower = subprocess.Popen(
        [PROGRAM, "log", "--config", subscriber.config, "--follow", "--format", "jsonl"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert follower.stdout is not None
    assert json.loads(follower.stdout.readline())["closed_at"] is None
    box.send(event(2, phase="close"))
    assert json.loads(follower.stdout.readline())["reason"] == "cleared"
    follower.send_signal(signal.SIGINT)
    assert follower.wait(PATIENCE_S) == 0
    follower.stdout.close()


def test_a_second_one_on_the_same_log_does_not_start(subscriber: Subscriber) -> None:
    subscriber.started()
    second = subprocess.run(
        [PROGRAM, "run", "--config", subscriber.config], capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "another subscriber writes this log" in second.stderr


def test_a_reader_that_has_enough_is_no_error(subscriber: Subscriber, box: Box) -> None:
    subscriber.started()
    for seq in range(1, 300):
        box.send(event(seq))
    answered(box, 299)
    result = subprocess.run(
        [
            "bash",
            "-o",
            "pipefail",
            "-c",
            '"$0" log --events --db "$1" -f jsonl | head -n 1',
            PROGRAM,
            subscriber.log,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["seq"] == 1
