"""Boxes without cameras: each with an outbox, the box's own sender, and the contract's messages."""

import asyncio
import json
import ssl
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cleandesk.contract.messages import Phase, ViolationEvent
from cleandesk.contract.topics import Address, Channel
from cleandesk.link.deafness import Deafness
from cleandesk.link.records import Pending
from cleandesk.link.sender import Sender
from tests.load import wire
from tests.unit.subscriber.make import event_fields, health_fields, status_fields

ACK_TIMEOUT_S = 15.0
#: A violation opens, is updated, and closes.
_PHASES = (Phase.OPEN, Phase.UPDATE, Phase.CLOSE)
_BACK_S = 1.0


@dataclass
class Tally:
    """What all boxes saw.

    Attributes:
        sent: Events that boxes have opened.
        acked_at: When each was answered, in order, with its seconds from event to ack.
        results: How often each answer came.
        again: Events that were sent once more.
    """

    sent: int = 0
    acked_at: list[tuple[float, float]] = field(default_factory=list)
    results: dict[str, int] = field(default_factory=dict)
    again: int = 0
    lost_connections: int = 0


def address_of(number: int, sites: int) -> Address:
    """Return a box's name, by its number."""
    return Address(f"site-{number % sites}", f"box-{number}")


class Box:
    """One box: its events stay in the outbox until an answer names them."""

    def __init__(
        self,
        number: int,
        sites: int,
        tally: Tally,
        port: int,
        tls: ssl.SSLContext | None = None,
        *,
        ack_timeout_s: float = ACK_TIMEOUT_S,
    ) -> None:
        self.address = address_of(number, sites)
        self._tally, self._port, self._tls = tally, port, tls
        self._number, self._seq = number, 0
        self._epoch = f"{number + 1:032x}"
        self._outbox: OrderedDict[str, tuple[Pending, float]] = OrderedDict()
        self._deafness = Deafness(ack_timeout_s)
        self._answered_at: float | None = None
        self._sender = Sender(self._pending, ack_timeout_s=ack_timeout_s, retry_max_s=60)
        self._topic = self.address.topic(Channel.VIOLATION).encode()
        self._templates = [_template(self._epoch, phase) for phase in _PHASES]
        self._connection: wire.Connection | None = None
        self._ready: asyncio.Future[None] | None = None
        self._ends = False

    @property
    def waiting(self) -> int:
        """How many events have no answer yet."""
        return len(self._outbox)

    @property
    def events(self) -> int:
        """How many events there were."""
        return self._seq

    async def connect(self) -> None:
        """Connect, and say that the box is there; all that waits is sent again."""
        loop = asyncio.get_running_loop()
        if self._ready is None or self._ready.done():
            self._ready = loop.create_future()
        _, self._connection = await loop.create_connection(
            lambda: wire.Connection(
                self.address.client_id,
                will=(self._of(Channel.STATUS), json.dumps(status_fields("offline")).encode()),
                subscribe=self._of(Channel.ACK),
                on_ready=self._on_ready,
                on_message=self._on_ack,
                on_lost=self._on_lost,
            ),
            "127.0.0.1",
            self._port,
            ssl=self._tls,
        )
        await self._ready
        status = json.dumps(status_fields("online")).encode()
        self._connection.publish(self._of(Channel.STATUS), status, retain=True)

    def open_event(self) -> None:
        """Something lies on the desk: into the outbox with it, and on its way."""
        self._seq += 1
        seq = self._seq
        event_id = f"{self._number:08x}{seq:024x}"
        violation, phase = divmod(seq - 1, len(_PHASES))
        payload = self._templates[phase] % (
            f"{self._number:08x}f{violation:023x}".encode(),
            event_id.encode(),
            seq,
            datetime.now(UTC).isoformat().encode(),
        )
        self._outbox[event_id] = (Pending(seq, event_id, payload), time.monotonic())
        self._tally.sent += 1

    def pump(self) -> None:
        """Send what is due."""
        if self._connection is None:
            return
        now = time.monotonic()
        if self._deafness.suspected(
            flowing=self._sender.flowing, answered_at=self._answered_at, now=now
        ):
            self._connection.abort()
            return
        for sending in self._sender.due(now):
            self._tally.again += sending.replayed
            properties = wire.REPLAYED if sending.replayed else b""
            self._connection.publish(self._topic, sending.event.payload, properties=properties)

    def say_health(self) -> None:
        """Publish the minute's health, and keep the connection."""
        if self._connection is not None:
            outbox = {"epoch": self._epoch, "next_seq": self._seq + 1, "depth": self.waiting}
            payload = json.dumps(health_fields(outbox=outbox, uptime_s=time.monotonic())).encode()
            self._connection.publish(self._of(Channel.HEALTH), payload, retain=True)
            self._connection.ping()

    def close(self) -> None:
        """Leave in order."""
        self._ends = True
        if self._connection is not None:
            self._connection.close()

    def _of(self, channel: Channel) -> bytes:
        return self.address.topic(channel).encode()

    def _pending(self, after: int, limit: int) -> list[Pending]:
        newest: list[Pending] = []
        for event, _ in reversed(self._outbox.values()):
            if event.id <= after:
                break
            newest.append(event)
        return newest[::-1][:limit]

    def _on_ready(self) -> None:
        self._sender.connected(self._seq)
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        self.pump()

    def _on_lost(self) -> None:
        self._connection = None
        if not self._ends:
            self._tally.lost_connections += 1
            asyncio.get_running_loop().call_later(_BACK_S, self._again)

    def _again(self) -> None:
        asyncio.ensure_future(self.connect()).add_done_callback(self._tried)

    def _tried(self, attempt: asyncio.Future[None]) -> None:
        if not attempt.cancelled() and attempt.exception() is not None:
            self._on_lost()

    def _on_ack(self, payload: bytes) -> None:
        now, tally = time.monotonic(), self._tally
        self._answered_at = now
        for answer in json.loads(payload):
            result = answer["result"]
            tally.results[result] = tally.results.get(result, 0) + 1
            found = self._outbox.pop(answer["id"], None)
            if found is not None:
                self._sender.answered([answer["id"]], now)
                tally.acked_at.append((now, now - found[1]))
        if self._outbox:
            self.pump()


def _template(epoch: str, phase: Phase) -> bytes:
    """Return an event's bytes with places for what differs; it fits the contract."""
    names = ("violation_id", "event_id", "seq", "at")
    fields = event_fields(1, phase=phase.value, epoch=epoch)
    ViolationEvent.model_validate_json(json.dumps(fields), strict=True)
    text = json.dumps({name: value for name, value in fields.items() if name not in names})
    return text.encode().replace(b"%", b"%%")[:-1] + (
        b', "violation_id": "%b", "event_id": "%b", "seq": %d, "at": "%b"}'
    )
