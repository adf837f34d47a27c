"""The measurement's subscriber: answers every event, and notes when each message arrived."""

import json
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cleandesk.bench import desk
from cleandesk.bench.errors import BenchError
from cleandesk.bench.finds import Find
from cleandesk.contract.health import Health
from cleandesk.contract.messages import Ack, AckResult, AckStatus, Phase, ViolationEvent
from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from cleandesk.contract.topics import Address, Channel

#: Where the other loop publishes what it detects.
PLAIN_TOPIC = "plain/detections"
_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event and when it was here, seconds since 1970."""

    event: ViolationEvent
    at: float

    @property
    def latency_s(self) -> float:
        """Seconds from the taking of the frame that completed the rule."""
        return self.at - self.event.at.timestamp()


class Listener:
    """Subscribes to a box and to the other loop.

    Args:
        host: The broker's.
        port: The broker's.
        address: The box's.

    Raises:
        BenchError: On entering, if the broker cannot be reached.
    """

    def __init__(self, host: str, port: int, address: Address) -> None:
        self._where = f"{host}:{port}"
        self._address = address
        self._ready = threading.Event()
        self._events: list[Arrival] = []
        self._plain: list[list[Find]] = []
        self._frames = 0
        channels = (Channel.VIOLATION, Channel.HEALTH)
        self._session = Session(
            desk.broker(host, port),
            f"cleandesk-bench.{address.site}.{address.box}",
            subscriptions=[*(address.topic(channel) for channel in channels), PLAIN_TOPIC],
            on_message=self._take,
            on_connect=self._ready.set,
        )

    def __enter__(self) -> Self:
        self._session.start()
        if not self._ready.wait(_CONNECT_S):
            self._session.stop()
            raise BenchError(f"no MQTT 5 broker answers at {self._where}; correct --broker")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.stop()

    def events(self, *, since_utc: float = 0.0) -> list[Arrival]:
        """Return the events of frames from a moment on, as they came."""
        return [one for one in list(self._events) if one.event.at.timestamp() >= since_utc]

    def open_things(self) -> list[Find]:
        """Return what was opened and not closed."""
        found: dict[str, Find] = {}
        for one in self.events():
            if one.event.phase is Phase.CLOSE:
                found.pop(one.event.violation_id, None)
            else:
                found[one.event.violation_id] = Find(one.event.class_name, one.event.place)
        return list(found.values())

    def detections(self) -> list[list[Find]]:
        """Return what the other loop published, message by message."""
        return list(self._plain)

    def frames(self) -> int:
        """Return how many frames the box says that its camera gave."""
        return self._frames

    def forget(self) -> None:
        """Begin anew, for another box."""
        self._events.clear()
        self._plain.clear()
        self._frames = 0

    def _take(self, received: Received) -> None:
        now = time.time()
        if received.topic == PLAIN_TOPIC:
            found = json.loads(received.payload)["detections"]
            self._plain.append([Find(one["class"], tuple(one["box"])) for one in found])
        elif received.topic == self._address.topic(Channel.HEALTH):
            if not received.retain:  # an earlier box's
                self._frames = Health.model_validate_json(received.payload).camera.frames
        else:
            event = ViolationEvent.model_validate_json(received.payload)
            self._events.append(Arrival(event, now))
            self._answer(event)

    def _answer(self, event: ViolationEvent) -> None:
        answer = Ack([AckResult(id=event.event_id, result=AckStatus.COMMITTED)])
        try:
            self._session.publish(Publication(self._address.topic(Channel.ACK), answer.to_json()))
        except NotConnectedError:
            return  # the box sends it again, and it is answered then
