"""The broker's production configuration, and clients with certificates of their own."""

import itertools
import queue
from collections.abc import Sequence
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from broker import LocalBroker
from cleandesk.contract import tls
from cleandesk.contract.connection import TlsSettings
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.roles import Operator, Role
from tests.eventually import eventually
from tests.leaving import leave

#: May read and write everything: what it does not see was delivered to nobody.
WITNESS = "witness"
WITNESS_RULES = f"\nuser {WITNESS}\ntopic readwrite #\ntopic read $SYS/#\n"
OPERATORS = (
    Operator("subscriber", Role.SUBSCRIBER),
    Operator("ops-s1", Role.OPS, "s1"),
    Operator("control-s1", Role.CONTROL, "s1"),
    Operator("admin", Role.ADMIN),
)
LISTENERS = {Issuer.BOXES: 8883, Issuer.PEOPLE: 8884, Issuer.ADMINS: 8885}
_marks = itertools.count()


class WitnessedBroker(LocalBroker):
    """The production broker, with one more who sees everything."""

    def authorise(self) -> None:
        super().authorise()
        with (self.files / "people.acl").open("a", encoding="utf-8") as file:
            file.write(WITNESS_RULES)

    def member(self, name: str, issuer: Issuer = Issuer.BOXES, **options: Any) -> "Member":
        """Return a client with a new certificate by this name."""
        return Member(self, issuer, self.issue(issuer, name), name, **options)

    def witness(self) -> "Member":
        """Return who sees everything, subscribed to it."""
        return self.member(WITNESS, Issuer.PEOPLE, filters=["#"])


class Member:
    """One MQTT 5 client, bare: what it sends is not made better on the way."""

    def __init__(
        self,
        broker: LocalBroker,
        issuer: Issuer,
        files: TlsSettings,
        name: str,
        *,
        filters: Sequence[str] = (),
        will: tuple[str, bytes] | None = None,
        client_id: str | None = None,
        keeps_s: int = 0,
    ) -> None:
        self.name, self.files, self.issuer = name, files, issuer
        self.received: list[mqtt.MQTTMessage] = []
        self.granted: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.codes: dict[int, int] = {}
        self.refusals: list[int] = []
        self.connects = self.disconnects = 0
        self._filters = list(filters)
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name if client_id is None else client_id,
            protocol=mqtt.MQTTv5,
        )
        client.tls_set_context(tls.context(files))
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = lambda *_: self.granted.put(True)
        client.on_message = lambda _c, _d, message: self.received.append(message)
        client.on_publish = lambda _c, _d, mid, reason, _p: self.codes.__setitem__(
            mid, reason.value
        )
        client.reconnect_delay_set(1, 1)
        if will is not None:
            client.will_set(*will, qos=1)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = keeps_s
        client.connect_async(
            "localhost",
            broker.port(LISTENERS[issuer]),
            clean_start=not keeps_s,
            properties=properties,
        )

    def _on_connect(self, client: mqtt.Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.value >= 0x80:
            self.refusals.append(reason.value)
            return
        if self._filters:
            client.subscribe([(one, SubscribeOptions(qos=1)) for one in self._filters])
        self.connects += 1

    def _on_disconnect(self, *_: Any) -> None:
        self.disconnects += 1

    def __enter__(self) -> Self:
        self._client.loop_start()
        eventually(lambda: self.connects, f"the connection of {self.name}")
        if self._filters:
            self.granted.get(timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def start(self) -> Self:
        """Try to connect, again and again; returns at once."""
        self._client.loop_start()
        return self

    def leave(self) -> None:
        """Disconnect in order."""
        leave(self._client)

    def cut(self) -> None:
        """Vanish: the broker publishes the last will."""
        # The thread first, which would connect anew; not by `loop_stop`: see `leave`.
        thread, self._client._thread_terminate = self._client._thread, True
        if thread is not None:
            thread.join()
        if (connection := self._client.socket()) is not None:
            connection.close()

    @property
    def up(self) -> bool:
        """Whether it has more connections begun than ended."""
        return self.connects > self.disconnects

    def say(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> int:
        """Publish at QoS 1 and wait for the answer; returns its reason code."""
        mid = self._client.publish(topic, payload, 1, retain).mid
        eventually(lambda: mid in self.codes, f"an answer to a message on {topic}")
        return self.codes.pop(mid)

    def topics(self) -> set[str]:
        """Return the topics of all that came."""
        return {message.topic for message in self.received}

    def saw(self, payload: bytes) -> bool:
        """Say whether a message with this payload came."""
        return any(message.payload == payload for message in self.received)


def mark() -> bytes:
    """Return a payload that no other message has."""
    return f"mark {next(_marks)}".encode()
