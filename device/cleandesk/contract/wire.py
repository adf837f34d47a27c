"""One connection to a broker, from CONNECT to its end."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from mqtt5 import (
    ConnAckPacket,
    DisconnectPacket,
    PingRespPacket,
    PubAckPacket,
    SubAckPacket,
)

from cleandesk.contract import packets, reasons, tls
from cleandesk.contract.arriving import Spoiled
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.ending import End, Trouble
from cleandesk.contract.packets import Arrived
from cleandesk.contract.profile import Handlers, Profile
from cleandesk.contract.publication import (
    NotConnectedError,
    Publication,
    Received,
    TlsError,
)
from cleandesk.contract.stream import Stream

log = logging.getLogger(__name__)

LOOP_S = 0.5  # how late an end is noticed at most; what arrives or is sent is handled at once
HANDSHAKE_S = 15.0
CLOSE_S = 5.0
_MID_BITS, _MAX_MID = 16, 0xFFFF
_LOOK = "look at the network and the broker"


class Connection:
    """One connection, used once.

    Whatever was not answered by its end is sent again by those who know whether it still matters.
    Only the thread in `run` touches the socket.
    """

    def __init__(
        self, settings: BrokerSettings, profile: Profile, handlers: Handlers, *, number: int
    ) -> None:
        self._settings, self._profile, self._handlers = settings, profile, handlers
        self.number = number
        self._ready_at: float | None = None
        self._open = False
        self._ended: End | None = None
        self._stream: Stream | None = None
        self._began = self.last_answer = time.monotonic()
        self._keepalive_s: float = settings.keepalive_s
        self._pinged_at: float | None = None
        self._lock = threading.Lock()  # of all that publishing changes
        self._mid = 0
        self._limit = self._flying = 0
        self._unanswered: dict[int, threading.Event | None] = {}
        self._waiting: deque[bytes] = deque()
        self._looks: set[int] = set()

    @property
    def ready(self) -> bool:
        """Whether the broker took us, and granted every subscription."""
        return self._ready_at is not None and self._ended is None

    def run(self, stopping: threading.Event) -> End:
        """Connect and stay until the connection ends. Never raises."""
        try:
            self._stream = self._connect()
            self._loop(self._stream, stopping)
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
            if self._stream is not None:
                self._stream.close()
            for waiter in list(self._unanswered.values()):
                if waiter is not None:
                    waiter.set()
        lasted = None if self._ready_at is None else time.monotonic() - self._ready_at
        return replace(self._ended or self._lost("the connection was lost"), lasted_s=lasted)

    def publish(self, publication: Publication) -> int:
        """Hand a message to the network thread; return the id that its PUBACK will carry.

        Raises:
            NotConnectedError: If the broker has not taken us, or the connection is gone.
        """
        return (self.number << _MID_BITS) | self._publish(publication)

    def publish_and_wait(self, publication: Publication, timeout_s: float) -> bool:
        """Send a message and say whether it was answered in time."""
        answered = threading.Event()
        try:
            mid = self._publish(publication, answered)
        except NotConnectedError:
            return False
        answered.wait(timeout_s)
        return mid not in self._unanswered

    def acknowledge(self, messages: Iterable[Received]) -> None:
        """Send the PUBACKs of messages; none for those that came by another connection."""
        stream = self._stream
        mids = [one.mid for one in messages if one.qos > 0 and one.connection == self.number]
        if mids and stream is not None and self._open:
            stream.send(packets.pubacks(mids))

    def together(self) -> AbstractContextManager[None]:
        """Hold back what is sent within until its end, so that it goes out at once."""
        return nullcontext() if self._stream is None else self._stream.together()

    def subscribe(self) -> None:
        """Subscribe; the broker sends what it has retained, also when this is done again."""
        with self._lock:
            self._send(packets.subscribe(self._next_mid(), self._profile.subscriptions))

    def look(self, topic_filter: str) -> None:
        """Subscribe to one more filter, until `look_away`; what the broker grants ends nothing.

        Raises:
            NotConnectedError: If the broker has not taken us, or the connection is gone.
        """
        if not self._open:
            raise NotConnectedError("not connected to the broker: look after the next connect")
        with self._lock:
            mid = self._next_mid()
            self._looks.add(mid)
            self._send(packets.subscribe(mid, (topic_filter,)))

    def look_away(self, topic_filter: str) -> None:
        """Unsubscribe from it."""
        with self._lock:
            self._send(packets.unsubscribe(self._next_mid(), topic_filter))

    def close(self, *, again: bool = False) -> None:
        """Leave in order: the broker drops the last will; `again` is to come back at once."""
        self._open = False
        if self._ended is None:
            self._ended = End("closed", "", again=again)
        self._send(b"")  # so that it is seen at once

    def _connect(self) -> Stream:
        settings, profile = self._settings, self._profile
        context = None if settings.tls is None else tls.context(settings.tls)
        stream = Stream(
            settings.host,
            settings.port,
            context,
            handshake_s=settings.keepalive_s,
            number=self.number,
        )
        stream.send(
            packets.connect(
                profile.client_id,
                will=profile.will,
                keepalive_s=settings.keepalive_s,
                session_expiry_s=profile.session_expiry_s,
                receive_maximum=profile.receive_maximum,
                maximum_packet=profile.maximum_packet,
            )
        )
        return stream

    def _loop(self, stream: Stream, stopping: threading.Event) -> None:
        """Take turns until the end; what the socket says from now on is about a connection."""
        try:
            while self._ended is None and not stopping.is_set():
                self._handlers.turned()
                for packet in stream.turn(LOOP_S):
                    self._take(packet)
                self._judge(stream, time.monotonic())
            if self._ended is not None and self._ended.trouble is None:
                stream.finish(packets.DISCONNECT, CLOSE_S)
        except ValueError as error:
            self._lost(f"the other side does not speak MQTT 5: {error}")
        except OSError as error:
            self._lost(f"the connection was lost: {error}")

    def _judge(self, stream: Stream, now: float) -> None:
        """End a connection that is only one by name: pings come back, answers do not."""
        if self._ready_at is None and now - self._began > HANDSHAKE_S:
            why = "the broker accepts and does not answer"
            self._end(why, "is it an MQTT port?", trouble=Trouble.UNREACHABLE)
        patience = 2 * self._settings.keepalive_s
        if self._unanswered and now - self.last_answer > patience:
            why = f"no answer to a message for {patience} s"
            self._end(why, "look into the broker's log", trouble=Trouble.LOST)
        if now - min(stream.last_in, stream.last_out) < self._keepalive_s or not self._open:
            return
        if self._pinged_at is None:
            self._pinged_at = now
            stream.send(packets.PING)
        elif now - self._pinged_at > self._keepalive_s:
            self._end("no answer to a ping", _LOOK, trouble=Trouble.LOST)

    def _publish(self, publication: Publication, waiter: threading.Event | None = None) -> int:
        with self._lock:
            if not self._open:
                raise NotConnectedError(
                    "not connected to the broker: send it after the next connect"
                )
            mid = self._next_mid()
            packet = packets.publish(publication, mid)
            if not publication.qos:
                self._send(packet)
                return mid
            if not self._unanswered:
                self.last_answer = time.monotonic()  # silence counts from the first question
            self._unanswered[mid] = waiter
            self._waiting.append(packet)
            self._fill()
            return mid

    def _fill(self) -> None:
        """Send what waits, as far as the broker takes it unanswered."""
        while self._waiting and self._flying < self._limit:
            self._flying += 1
            self._send(self._waiting.popleft())

    def _send(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.send(data)

    def _next_mid(self) -> int:
        while True:
            self._mid = self._mid % _MAX_MID + 1
            if self._mid not in self._unanswered:
                return self._mid

    def _end(
        self, why: str, advice: str, code: int | None = None, trouble: Trouble | None = None
    ) -> End:
        if self._ended is None:
            self._ended = End(why, advice, code, trouble=trouble)
        return self._ended

    def _refused(self, what: str, code: int, name: object, trouble: Trouble) -> None:
        why = f"{what}: {packets.reason(name)} ({code})"
        self._end(why, reasons.fix(code), code, trouble)

    def _lost(self, why: str) -> End:
        """End without a word from the broker: before it took us, it does not want us."""
        if self._ready_at is not None:
            return self._end(why, _LOOK, trouble=Trouble.LOST)
        # In TLS 1.3 a client hears only then that its certificate is refused.
        own = self._settings.tls is not None and self._settings.tls.cert is not None
        return self._end(why, tls.REFUSED if own else _LOOK, trouble=Trouble.REFUSED)

    def _take(self, packet: Arrived) -> None:
        match packet:
            case Received() if self._open:
                self._on_message(packet)
            case ConnAckPacket():
                self._on_connect(packet)
            case DisconnectPacket():
                trouble = Trouble.REFUSED if self._ready_at is None else Trouble.LOST
                code = packet.reason_code
                self._refused("the broker ended the connection", int(code), code, trouble)
            case _ if not self._open:
                return  # we left, or the broker has not taken us
            case PubAckPacket():
                self._on_puback(packet)
            case SubAckPacket():
                self._on_subscribe(packet)
            case PingRespPacket():
                self._pinged_at = None
            case Spoiled():
                # Nobody else can, and it would come for ever.
                log.error("message dropped: it cannot be read", extra={"reason": packet.why})
                if packet.mid:
                    self._send(packets.pubacks([packet.mid]))

    def _on_connect(self, packet: ConnAckPacket) -> None:
        code = packet.reason_code
        if int(code) >= reasons.FAILURE:
            self._refused("the broker refused the connection", int(code), code, Trouble.REFUSED)
            return
        self.last_answer = time.monotonic()
        self._keepalive_s = packet.server_keep_alive or self._keepalive_s
        self._limit = packet.receive_max
        self._open = True
        if not self._profile.subscriptions:
            self._ready()
            return
        self.subscribe()

    def _on_subscribe(self, packet: SubAckPacket) -> None:
        self.last_answer = time.monotonic()
        with self._lock:
            if packet.packet_id in self._looks:
                self._looks.discard(packet.packet_id)
                return
        for topic, code in zip(self._profile.subscriptions, packet.reason_codes, strict=False):
            if int(code) != 1:
                what = f"the broker does not grant QoS 1 of {topic!r}"
                self._refused(what, int(code), code, Trouble.DENIED)
        if self._ended is None and self._ready_at is None:
            self._ready()

    def _ready(self) -> None:
        self._ready_at = time.monotonic()
        self._handlers.ready()

    def _on_puback(self, packet: PubAckPacket) -> None:
        self.last_answer = time.monotonic()
        mid = packet.packet_id
        with self._lock:
            if mid not in self._unanswered:
                return
            waiter = self._unanswered.pop(mid)
            self._flying -= 1
            self._fill()
        if waiter is not None:
            waiter.set()
        self._handlers.puback((self.number << _MID_BITS) | mid, int(packet.reason_code))

    def _on_message(self, message: Received) -> None:
        self.last_answer = time.monotonic()
        self._handlers.message(message)
        if not self._profile.manual_ack and message.qos:
            self._send(packets.pubacks([message.mid]))
