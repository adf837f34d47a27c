"""A small subscriber straight on paho: it hears everything, and answers if it is told to."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from cleandesk.contract.topics import Channel, parse
from tests.eventually import PATIENCE_S
from tests.leaving import leave
from tests.unit.link.make import ADDRESS


@dataclass(frozen=True)
class Heard:
    topic: str
    payload: bytes
    retain: bool
    replayed: bool
    expiry_s: int | None
    correlation: bytes | None
    user: dict[str, str] = field(default_factory=dict)

    @property
    def channel(self) -> str:
        return parse(self.topic).channel


class Listener:
    """Hears `cleandesk/#`."""

    def __init__(self, port: int, *, answers: bool = True, topic: str = "cleandesk/#") -> None:
        self.heard: list[Heard] = []
        self.answers = answers
        self._topic = topic
        self._ready = threading.Event()
        self._port = port
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message

    def __enter__(self) -> Self:
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        leave(self.client)

    def of(self, channel: str) -> list[Heard]:
        return [one for one in list(self.heard) if one.channel == channel]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(one.payload) for one in self.of("violation")]

    def last(self, channel: str) -> dict[str, Any]:
        heard = self.of(channel)
        return json.loads(heard[-1].payload) if heard else {}

    def answer(self, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(ADDRESS.topic(Channel.ACK), payload, qos=1, retain=retain)

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_message(self, client: Client, _: object, message: MQTTMessage) -> None:
        properties = message.properties
        user = dict(getattr(properties, "UserProperty", []))
        self.heard.append(
            Heard(
                message.topic,
                bytes(message.payload),
                message.retain,
                replayed=user.get("replayed") == "1",
                expiry_s=getattr(properties, "MessageExpiryInterval", None),
                correlation=getattr(properties, "CorrelationData", None),
                user=user,
            )
        )
        if self.answers and "still_id" in user:
            self.answer(json.dumps([{"id": user["still_id"], "result": "committed"}]).encode())
        for channel, key in (("/violation", "event_id"), ("/appeal", "appeal_id")):
            if self.answers and message.topic.endswith(channel):
                id_ = json.loads(message.payload)[key]
                answer = json.dumps([{"id": id_, "result": "committed"}])
                client.publish(message.topic.replace(channel, "/ack"), answer, qos=1)
