"""The figures of a running subscriber, as Prometheus reads them; no port unless one is named."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk.contract.topics import Address, Channel
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, free_port, needs_mosquitto
from tests.system.subscriber_rig import Box, Subscriber
from tests.system.test_no_open_port import listens_on
from tests.unit.subscriber.make import event_fields, health_fields, hex_id, status_fields

pytestmark = [pytest.mark.system, needs_mosquitto]

DESK = Address("s1", "b1")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def test_a_running_subscriber_tells_of_itself_and_of_the_fleet(
    tmp_path: Path, broker: Mosquitto
) -> None:
    port = free_port()
    with (
        Subscriber(tmp_path, broker.port, metrics={"port": port}) as subscriber,
        Box(broker.port, DESK) as box,
    ):
        subscriber.started()
        box.send(json.dumps(status_fields()).encode(), Channel.STATUS)
        waits = {"depth": 1, "oldest_s": 12.5}
        box.send(json.dumps(health_fields(outbox=waits)).encode(), Channel.HEALTH)
        box.send(json.dumps(event_fields(1)).encode())
        box.send(b"\xff")
        box.wait_for(hex_id("event", 1))
        wanted = {
            'cleandesk_messages_total{channel="violation",result="committed"} 1.0',
            'cleandesk_rejected_total{cause="json"} 1.0',
            'cleandesk_boxes{site="s1",status="online"} 1.0',
            'cleandesk_box_outbox_oldest_seconds{box="b1",site="s1"} 12.5',
            'cleandesk_violations_open{severity="high",site="s1"} 1.0',
            'cleandesk_alarms_open{kind="quarantined",site="s1"} 1.0',
            "cleandesk_quarantine_messages 1.0",
            "cleandesk_connected 1.0",
            "cleandesk_judges 1.0",
            "cleandesk_log_readable 1.0",
        }
        eventually(lambda: wanted <= set(_sorted_labels(scraped(port))), "these figures")
        assert listens_on(subscriber.pid) == [f"tcp 0100007F:{port:04X}"]
        assert subscriber.stop() == 0


def _sorted_labels(text: str) -> list[str]:
    """Return the lines, with the labels of each in order."""
    lines = []
    for line in text.splitlines():
        head, brace, rest = line.partition("{")
        labels, _, value = rest.rpartition("}")
        whole = f"{head}{{{','.join(sorted(labels.split(',')))}}}{value}" if brace else line
        lines.append(whole)
    return lines


def test_by_default_a_subscriber_listens_on_no_port(tmp_path: Path, broker: Mosquitto) -> None:
    with Subscriber(tmp_path, broker.port) as subscriber:
        subscriber.started()
        assert listens_on(subscriber.pid) == []
