"""The company's own app, as far as a box hears of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cleandesk.contract.topics import Channel, Command, Side
from tests.eventually import eventually
from tests.rig import ADDRESS


@dataclass
class Company:
    """The company's own app: asks by MQTT, and hears the answers."""

    client: mqtt.Client
    answers: list[tuple[str, bytes, dict[str, Any]]]

    def ask(self, command: Command, body: dict[str, object], correlation: bytes) -> dict[str, Any]:
        """Ask, and return the first answer with this correlation data."""
        self.send(command, body, correlation)
        eventually(lambda: self.to(correlation), f"the answer to {command}")
        return self.to(correlation)[0]

    def send(self, command: Command, body: dict[str, object], correlation: bytes) -> None:
        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = ADDRESS.command(command, Side.RESPONSE)
        properties.CorrelationData = correlation
        topic = ADDRESS.command(command, Side.REQUEST)
        self.client.publish(topic, json.dumps(body), qos=1, properties=properties)

    def to(self, correlation: bytes) -> list[dict[str, Any]]:
        return [body for _, its, body in list(self.answers) if its == correlation]


@contextmanager
def company_of(port: int) -> Iterator[Company]:
    """Connect to the box's broker, and listen to all answers."""
    answers: list[tuple[str, bytes, dict[str, Any]]] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = lambda _client, _data, message: answers.append(
        (
            message.topic,
            getattr(message.properties, "CorrelationData", b""),
            json.loads(message.payload),
        )
    )
    client.connect("127.0.0.1", port)
    client.subscribe(f"{ADDRESS.topic(Channel.COMMAND)}/+/response", qos=1)
    client.loop_start()
    try:
        yield Company(client, answers)
    finally:
        client.disconnect()
        client.loop_stop()
