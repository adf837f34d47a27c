"""Hostile messages by a real broker: the subscriber goes on, and counts all that reach it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cleandesk.contract.mqtt import Received
from cleandesk.contract.topics import ROOT, Channel
from tests.eventually import eventually
from tests.leaving import leave
from tests.mosquitto import Mosquitto, free_port, needs_mosquitto
from tests.system.subscriber_rig import Subscriber
from tests.system.test_metrics import scraped
from tests.unit.subscriber.hostile import HONEST, HONEST_SHARE, Hostile
from tests.unit.subscriber.make import hex_id

MANY = max(1000, int(os.environ.get("HOSTILE", "0")) // 10)
pytestmark = [pytest.mark.system, needs_mosquitto, pytest.mark.timeout(max(300, MANY // 25))]
#: So many are under way at most: mosquitto drops what it cannot keep.
WINDOW = 10 * HONEST_SHARE
#: More than a subscriber lets a broker send.
OVERSIZED = b"x" * 2_000_000
#: What mosquitto takes for no text, and ends a connection for.
NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
SUBSCRIBED = re.compile(
    rf"{ROOT}/[^/]*/[^/]*/((status|health|privacy|violation|appeal|idle)|still/[^/]*)"
)


class Flood:
    """Sends as the boxes would, and hears what the honest one is answered."""

    def __init__(self, port: int) -> None:
        self.answered: list[str] = []
        self.arriving = 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", port)
        self.client.subscribe(HONEST.topic(Channel.ACK), qos=1)
        self.client.loop_start()

    def _hear(self, _: object, __: object, message: mqtt.MQTTMessage) -> None:
        self.answered += [one["id"] for one in json.loads(message.payload)]

    def send(self, one: Received) -> None:
        """Send a message, if it is one by the rules of MQTT."""
        if not one.topic or re.search("[#+]|^[$]", one.topic) or NO_TEXT.search(one.topic):
            return
        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        pairs = [pair for pair in one.user if not NO_TEXT.search("".join(pair))]
        if pairs:
            properties.UserProperty = pairs
        self.client.publish(one.topic, one.payload, 1, one.retain, properties)
        self.arriving += SUBSCRIBED.fullmatch(one.topic) is not None

    def wait_for(self, seq: int) -> None:
        """Wait until the honest box's newest event is answered, and so all that came before."""
        newest = hex_id(HONEST, seq)
        eventually(lambda: newest in self.answered, f"the answer to event {seq}")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, logs=("error",)) as mosquitto:
        yield mosquitto


@pytest.fixture
def flood(broker: Mosquitto) -> Iterator[Flood]:
    flood = Flood(broker.port)
    yield flood
    leave(flood.client)


def counted(port: int) -> int:
    """Return how many deliveries the subscriber has counted."""
    found = re.findall(r"^cleandesk_messages_total\{.*\} (\S+)$", scraped(port), re.MULTILINE)
    return int(sum(map(float, found)))


def test_a_flood_of_hostile_messages_stops_nothing_and_is_counted(
    tmp_path: Path, broker: Mosquitto, flood: Flood
) -> None:
    port, hostile = free_port(), Hostile(7)
    with Subscriber(tmp_path, broker.port, metrics={"port": port}) as subscriber:
        subscriber.started()
        for number, one in enumerate(hostile.deliveries(MANY)):
            flood.send(one)
            if number % WINDOW == WINDOW - HONEST_SHARE:
                flood.wait_for(hostile.honest)
        flood.client.publish(HONEST.topic(Channel.VIOLATION), OVERSIZED, 1)
        flood.wait_for(hostile.honest)
        eventually(lambda: counted(port) == flood.arriving, "that all are counted")
        assert sorted(subscriber.numbers(HONEST)) == list(range(1, hostile.honest + 1))
        assert subscriber.ask("alarms", "--box", HONEST.box) == []
        assert subscriber.ask("quarantine", "--limit", "1")
        assert '"level": "error"' not in subscriber.words
        assert subscriber.stop() == 0
