"""One connection to a broker, from CONNECT to its end: what there is of paho stays in here."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cleandesk.contract import packets, reasons, tls
from cleandesk.contract.client import LeanClient
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.ending import End, Trouble
from cleandesk.contract.publication import NotConnectedError, Publication, Received, TlsError

log = logging.getLogger(__name__)

LOOP_S = 0.5  # how late an end is noticed at most; what arrives or is sent is handled at once
HANDSHAKE_S = 15.0
CLOSE_S = 5.0
IN_FLIGHT = 20  # unanswered publications at once: mosquitto's default limit
_MID_BITS = 16
_LOOK = "look at the network and the broker"


@dataclass(frozen=True, slots=True)
class Profile:
    """What stays the same from one connection of a session to the next."""

    client_id: str
    will: Publication | None
    session_expiry_s: int
    subscriptions: tuple[str, ...]
    manual_ack: bool
    receive_maximum: int
    maximum_packet: int | None


@dataclass(frozen=True, slots=True)
class Handlers:
    """Whom a connection tells; called in the network thread. They must not raise, nor block."""

    message: Callable[[Received], None]
    ready: Callable[[], None]
    puback: Callable[[int, int], None]
    turned: Callable[[], None] = lambda: None


class Connection:
    """One client of paho, used for one connection only.

    A fresh one each time keeps paho's own queue out of it: whatever was not answered is sent again
    by those who know whether it still matters. Only the thread in `run` touches the socket.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        profile: Profile,
        handlers: Handlers,
        *,
        number: int,
        in_flight: int,
    ) -> None:
        self._settings, self._profile, self._handlers = settings, profile, handlers
        self.number = number
        self.in_flight = in_flight
        self._ready_at: float | None = None
        self._open = False
        self._ended: End | None = None
        self._closing_at: float | None = None
        self._began = self.last_answer = time.monotonic()
        self._lock = threading.Lock()  # never held while paho is called
        self._looking, self._looks = threading.Lock(), set[int | None]()
        self._unanswered = 0
        self._client = self._new_client()

    @property
    def ready(self) -> bool:
        """Whether the broker took us, and granted every subscription."""
        return self._ready_at is not None and self._ended is None

    def run(self, stopping: threading.Event) -> End:
        """Connect and stay until the connection ends. Never raises."""
        try:
            self._connect()
            self._loop(stopping)
        except OSError as error:
            where = f"{self._settings.host}:{self._settings.port}"
            why, trouble = f"no connection to {where}: {error}", Trouble.of(error)
            self._end(why, tls.advice(error), trouble=trouble)
        except TlsError as error:
            advice = "put the file right; it is read again at each attempt"
            self._end(str(error), advice, trouble=Trouble.FILES)
        except Exception as error:
            log.exception("the MQTT client failed")
            self._end(f"the MQTT client failed: {error!r}", "report this with the log")
        finally:
            self._open = False
            self._client.let_go()
        lasted = None if self._ready_at is None else time.monotonic() - self._ready_at
        return replace(self._ended or self._lost("the connection was lost"), lasted_s=lasted)

    def publish(self, publication: Publication) -> int:
        """Hand a message of QoS 1 to the network thread; return the id that its PUBACK will carry.

        Raises:
            NotConnectedError: If the broker has not taken us, or the connection is gone.
        """
        return (self.number << _MID_BITS) | self._publish(publication).mid

    def publish_and_wait(self, publication: Publication, timeout_s: float) -> bool:
        """Send a message and say whether it was answered in time."""
        try:
            info = self._publish(publication)
            info.wait_for_publish(timeout_s)
            return info.is_published()
        except (NotConnectedError, RuntimeError, ValueError):
            return False

    def tell(self, publications: Sequence[Publication]) -> None:
        """Hand messages to the network thread, all in one go, at QoS 0: nobody answers them.

        Raises:
            NotConnectedError: If the broker has not taken us, or the connection is gone.
        """
        self._must_be_open()
        self._client.send_together(map(packets.unanswered, publications))

    def acknowledge(self, messages: Iterable[Received]) -> None:
        """Send the PUBACK of messages, all in one go; not of those of another connection."""
        ours = (one.mid for one in messages if one.qos > 0 and one.connection == self.number)
        self._client.send_together(map(packets.puback, ours))

    def subscribe(self) -> None:
        """Subscribe; the broker sends what it has retained, also when this is done again."""
        self._client.subscribe(
            [(topic, SubscribeOptions(qos=1)) for topic in self._profile.subscriptions]
        )

    def look(self, topic_filter: str) -> None:
        """Subscribe to one more filter, until `look_away`; what the broker grants ends nothing.

        Raises:
            NotConnectedError: If the broker has not taken us, or the connection is gone.
        """
        self._must_be_open()
        with self._looking:  # the answer may be here before its number is
            _, mid = self._client.subscribe(topic_filter, options=SubscribeOptions(qos=1))
            self._looks.add(mid)

    def look_away(self, topic_filter: str) -> None:
        """Unsubscribe from it."""
        self._client.unsubscribe(topic_filter)

    def close(self, *, again: bool = False) -> None:
        """Leave in order: the broker drops the last will; `again` is to come back at once."""
        self._closing_at = time.monotonic()
        if self._ended is None:
            self._ended = End("closed", "", again=again)
        self._open = False
        self._client.disconnect()

    def _new_client(self) -> LeanClient:
        profile = self._profile
        client = LeanClient(
            CallbackAPIVersion.VERSION2,
            client_id=profile.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=profile.manual_ack,
        )
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        # Without this hook paho writes to the socket from the publishing thread, too.
        client.on_socket_register_write = _wake_up_is_enough
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(self.in_flight)
        if (will := profile.will) is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        return client

    def _connect(self) -> None:
        if self._settings.tls is not None:
            self._client.tls_set_context(tls.context(self._settings.tls))
        profile = self._profile
        properties = packets.properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = profile.session_expiry_s
        properties.ReceiveMaximum = profile.receive_maximum
        if profile.maximum_packet is not None:
            properties.MaximumPacketSize = profile.maximum_packet
        self._client.connect(
            self._settings.host,
            self._settings.port,
            self._settings.keepalive_s,
            clean_start=profile.session_expiry_s == 0,
            properties=properties,
        )
        # An event and its answer are small: waiting to fill a packet would only delay them.
        if isinstance(opened := self._client.socket(), socket.socket):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _loop(self, stopping: threading.Event) -> None:
        while self._client.socket() is not None:
            self._handlers.turned()
            if self._client.loop(LOOP_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            now = time.monotonic()
            if self._closing_at is not None:
                if now - self._closing_at > CLOSE_S:
                    return
            elif self._ended is not None or stopping.is_set():
                return
            self._judge(now)

    def _judge(self, now: float) -> None:
        """End a connection that is only one by name: pings come back, answers do not."""
        if self._ready_at is None and now - self._began > HANDSHAKE_S:
            why = "the broker accepts and does not answer"
            self._end(why, "is it an MQTT port?", trouble=Trouble.UNREACHABLE)
        patience = 2 * self._settings.keepalive_s
        if self._unanswered and now - self.last_answer > patience:
            why = f"no answer to a message for {patience} s"
            self._end(why, "look into the broker's log", trouble=Trouble.LOST)

    def _publish(self, publication: Publication) -> MQTTMessageInfo:
        self._must_be_open()
        self._count(1)
        info = self._client.publish(
            publication.topic,
            publication.payload,
            publication.qos,
            publication.retain,
            packets.properties_of(publication),
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._count(-1)
            raise NotConnectedError(f"the message was not taken ({info.rc.name}): send it again")
        return info

    def _must_be_open(self) -> None:
        if not self._open:
            raise NotConnectedError("not connected to the broker: again after the next connect")

    def _count(self, step: int) -> None:
        with self._lock:
            if self._unanswered == 0 and step > 0:
                self.last_answer = time.monotonic()  # silence counts from the first question
            self._unanswered += step

    def _end(
        self, why: str, advice: str, code: int | None = None, trouble: Trouble | None = None
    ) -> End:
        if self._ended is None:
            self._ended = End(why, advice, code, trouble=trouble)
        return self._ended

    def _refused(self, what: str, reason: ReasonCode, trouble: Trouble) -> None:
        why = f"{what}: {reason} ({reason.value})"
        self._end(why, reasons.fix(reason.value), reason.value, trouble)

    def _lost(self, why: str) -> End:
        """End without a word from the broker: before it took us, it does not want us."""
        if self._ready_at is not None:
            return self._end(why, _LOOK, trouble=Trouble.LOST)
        # In TLS 1.3 a client hears only then that its certificate is refused.
        own = self._settings.tls is not None and self._settings.tls.cert is not None
        return self._end(why, tls.REFUSED if own else _LOOK, trouble=Trouble.REFUSED)

    def _on_connect(
        self, _: Client, __: Any, ___: ConnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.value >= reasons.FAILURE:
            self._refused("the broker refused the connection", reason, Trouble.REFUSED)
            return
        self.last_answer = time.monotonic()
        # Going over the broker's limit ends the connection; paho takes a limit only before it.
        limit = getattr(properties, "ReceiveMaximum", self.in_flight)
        if limit < self.in_flight:
            self.in_flight = limit
            self._end(f"the broker takes {limit} unanswered messages at once", "keeping to it")
            return
        self._open = True
        if not self._profile.subscriptions:
            self._ready()
            return
        self.subscribe()

    def _on_subscribe(
        self, _: Client, __: Any, mid: int, granted: list[ReasonCode], ___: Properties | None
    ) -> None:
        self.last_answer = time.monotonic()
        with self._looking:
            if mid in self._looks:
                self._looks.discard(mid)
                return
        for topic, reason in zip(self._profile.subscriptions, granted, strict=False):
            if reason.value != 1:
                what = f"the broker does not grant QoS 1 of {topic!r}"
                self._refused(what, reason, Trouble.DENIED)
        if self._ended is None and self._ready_at is None:
            self._ready()

    def _ready(self) -> None:
        self._ready_at = time.monotonic()
        self._handlers.ready()

    def _on_disconnect(
        self, _: Client, __: Any, flags: DisconnectFlags, reason: ReasonCode, ___: Properties | None
    ) -> None:
        self._open = False
        if flags.is_disconnect_packet_from_server:
            ready = self._ready_at is not None
            trouble = Trouble.LOST if ready else Trouble.REFUSED
            self._refused("the broker ended the connection", reason, trouble)
        else:
            self._lost(f"the connection was lost: {reason}")

    def _on_publish(
        self, _: Client, __: Any, mid: int, reason: ReasonCode, ___: Properties
    ) -> None:
        self._count(-1)
        self.last_answer = time.monotonic()
        self._handlers.puback((self.number << _MID_BITS) | mid, reason.value)

    def _on_message(self, client: Client, _: Any, message: MQTTMessage) -> None:
        self.last_answer = time.monotonic()
        received = packets.received(message, self.number)
        if received is not None:
            self._handlers.message(received)
        elif self._profile.manual_ack:
            client.ack(message.mid, message.qos)  # nobody else can, and it would come for ever


def _wake_up_is_enough(_: Client, __: Any, ___: Any) -> None:
    """Do nothing: the network thread sees the queued packet, woken through paho's own pipe."""
