"""A client that hears all that a broker hands on."""

from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.eventually import eventually
from tests.leaving import leave


@contextmanager
def everything_published(port: int) -> Iterator[list[bytes]]:
    """Collect every topic, payload and set of properties from now on, as bytes."""
    heard: list[bytes] = []
    subscribed: list[object] = []

    def hear(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        properties = repr(message.properties).encode()
        heard.extend([message.topic.encode(), bytes(message.payload), properties])

    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = hear
    client.on_subscribe = lambda *_: subscribed.append(True)
    client.connect("127.0.0.1", port)
    client.subscribe("#")
    client.loop_start()
    eventually(lambda: subscribed, "the subscription")
    try:
        yield heard
    finally:
        leave(client)
