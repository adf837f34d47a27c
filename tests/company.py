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

from cleandesk.contract.config_messages import ConfigOutcome, ReportedConfig
from cleandesk.contract.topics import Channel, Command, Side
from tests.eventually import eventually
from tests.leaving import leave
from tests.rig import ADDRESS, Rig, retained


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
        leave(client)


def desire(rig: Rig, version: int, config: dict[str, Any]) -> None:
    """Publish a `config/desired`."""
    retain(rig, Channel.DESIRED, json.dumps({"schema": 1, "version": version, "config": config}))


def retain(rig: Rig, channel: Channel, payload: str) -> None:
    """Have the broker retain a payload on one of the box's topics; an empty one empties it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", rig.broker.port)
    client.loop_start()
    client.publish(ADDRESS.topic(channel), payload, qos=1, retain=True).wait_for_publish(20)
    leave(client)


def reported(rig: Rig, outcome: ConfigOutcome, version: int | None) -> ReportedConfig:
    """Return what `config/reported` says, once it says this of this version."""
    found: list[ReportedConfig] = []

    def arrived() -> bool:
        payload = retained(rig.broker.port, Channel.REPORTED)
        found[:] = [ReportedConfig.model_validate_json(payload)] if payload else []
        return bool(found) and (found[0].outcome, found[0].version) == (outcome, version)

    eventually(arrived, f"{outcome} {version} on config/reported")
    return found[0]
