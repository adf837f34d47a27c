"""The link: one thread that carries events, state and health to the broker, and answers back."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

from pydantic import ValidationError

from cleandesk.clock import Clock
from cleandesk.contract import reasons
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.messages import (
    Ack,
    AckResult,
    Availability,
    Health,
    OutboxHealth,
    Privacy,
    Status,
)
from cleandesk.contract.mqtt import REPLAYED, NotConnectedError, Publication, Received, Session
from cleandesk.contract.topics import Address, Channel
from cleandesk.link.outbox import Outbox
from cleandesk.link.retained import Retained, Wanted
from cleandesk.link.sender import Sender

log = logging.getLogger(__name__)

TICK_S = 1.0
ACTIVE_EXPIRY_S = 24 * 3600  # a box that never comes back leaves no violation open for ever
ACTIVE_REFRESH_S = 3600.0
_MAX_PACKET = 1 << 20  # an `ack` of 1000 results, each with a reason, stays below
_LAST_EVENTS_S = 2.0
Notice = Callable[[float], None]


class Link:
    """Keeps the broker up to date with one box.

    All state belongs to its own thread: whatever others want, the session's callbacks too, comes
    through one queue as a notice. That thread never ends by an error.

    Args:
        settings: The broker.
        address: The box; its certificate's common name.
        outbox: Where events wait.
        clock: For the time in `status`.
        boot: Id of this power-on.
        version: The software's.
        model: The detector's name and version.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        address: Address,
        outbox: Outbox,
        *,
        clock: Clock,
        boot: str,
        version: str,
        model: str,
    ) -> None:
        self._address, self._outbox, self._clock = address, outbox, clock
        self._boot, self._version, self._model = boot, version, model
        self._inbox: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        self._sender = Sender(
            lambda after, limit: outbox.pending(after=after, limit=limit),
            ack_timeout_s=settings.ack_timeout_s,
            retry_max_s=settings.retry_max_s,
        )
        self._retained = Retained(settings.retry_max_s)
        self._asked: dict[int, str | Publication] = {}
        self._acks: list[AckResult] = []
        self._alarms: set[tuple[str, int]] = set()
        self._health: Health | None = None
        self._told: tuple[object, ...] = ()
        self._up, self._epoch, self._next_tick = False, outbox.epoch, 0.0
        self._stopping = threading.Event()
        self._want_online()  # the first of all topics
        self._session = Session(
            settings,
            f"cleandesk.{address.site}.{address.box}",  # rumqttd takes no '/' in a client id
            will=self._status(Availability.OFFLINE),
            subscriptions=[address.topic(Channel.ACK)],
            on_message=lambda received: self._inbox.put(lambda _: self._on_ack(received)),
            on_connect=lambda: self._inbox.put(self._on_connect),
            on_disconnect=lambda: self._inbox.put(self._on_disconnect),
            on_puback=lambda mid, code: self._inbox.put(
                lambda now: self._on_puback(mid, code, now)
            ),
            receive_maximum=20,
            maximum_packet=_MAX_PACKET,
        )
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        """Begin to connect and to send; returns at once."""
        self._outbox.listen(lambda: self._inbox.put(_nothing))
        self._thread.start()
        self._session.start()

    def stop(self, *, orderly: bool = True) -> None:
        """Give the last events a moment, say goodbye, and end.

        Args:
            orderly: Somebody wanted it: `stopped`. Else it is `offline`, as the last will has it,
                so that the box is missed if it does not come back.
        """
        if self.connected and self._sender.flowing:
            self.wait_drained(_LAST_EVENTS_S)
        self._outbox.listen(_nobody)
        self._stopping.set()
        self._inbox.put(_nothing)
        if self._thread.is_alive():
            self._thread.join()
        self._leave_true_words()
        last = Availability.STOPPED if orderly else Availability.OFFLINE
        self._session.stop(self._status(last))

    def _leave_true_words(self) -> None:
        """Publish the last health and privacy; the link's thread is done and nothing changes."""
        self._inbox.put(_nothing)
        self._take_notices()
        if not self.connected:
            return
        self._told = ()
        self._tell_outbox()
        with contextlib.suppress(NotConnectedError):  # then the last will speaks for us
            for publication in self._retained.due(time.monotonic()):
                self._session.publish(publication)

    def set_health(self, health: Health) -> None:
        """Publish health now and after each connect; the link keeps its outbox part current."""
        self._inbox.put(lambda _: self._take_health(health))

    def set_privacy(self, privacy: Privacy) -> None:
        """Publish whether the box is looking, now and after each connect."""
        wanted = Wanted(privacy.to_json())
        topic = self._address.topic(Channel.PRIVACY)
        self._inbox.put(lambda _: self._retained.want(topic, wanted))

    def wait_drained(self, timeout_s: float, *, unless: threading.Event | None = None) -> bool:
        """Wait until the subscriber has answered for every event; say whether it has.

        Args:
            timeout_s: Wait at most so long, seconds.
            unless: Stop to wait when this is set.
        """
        give_up = time.monotonic() + timeout_s
        unless = unless or threading.Event()
        while self._outbox.health().depth:
            if time.monotonic() >= give_up or unless.wait(0.02):
                return False
        return True

    @property
    def connected(self) -> bool:
        """Whether the broker has us: what is committed from now on is no replay."""
        return self._up and self._session.connected

    @property
    def last_answer_age_s(self) -> float:
        """Seconds since the broker last answered anything: the truth about being connected."""
        return self._session.last_answer_age_s

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._take_notices()
                self._step(time.monotonic())
            except NotConnectedError:
                self._up = False  # its notice is on the way
            except Exception:
                log.exception("the link failed at one step, and goes on")
                self._stopping.wait(TICK_S)

    def _take_notices(self) -> None:
        now = time.monotonic()
        due = self._sender.next_due() if self._up else None
        wait_s = min(self._next_tick, now + TICK_S if due is None else due) - now
        try:
            notice = self._inbox.get(timeout=max(0.0, wait_s))
            while True:
                notice(time.monotonic())
                notice = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _step(self, now: float) -> None:
        if now >= self._next_tick:
            self._next_tick = now + TICK_S
            self._outbox.tick()
            self._tell_outbox()
        if self._acks:
            acks, self._acks = self._acks, []
            self._sender.answered(self._outbox.settle(acks), now)
        if not self._up:
            return
        if self._outbox.epoch != self._epoch:
            self._epoch = self._outbox.epoch
            self._sender.connected(self._outbox.last_id)
        self._want_active()
        for publication in self._retained.due(now):
            self._asked[self._session.publish(publication)] = publication
        topic = self._address.topic(Channel.VIOLATION)
        for sending in self._sender.due(now):
            user = (REPLAYED,) if sending.replayed else ()
            event = Publication(topic, sending.event.payload, user=user)
            self._asked[self._session.publish(event)] = sending.event.event_id

    def _want_active(self) -> None:
        """Have the broker hold what is open on file, and nothing else."""
        topics = self._outbox.active()
        new = [id_ for id_, active in topics.items() if active.payload and not active.published]
        if new:
            self._outbox.note_published(new)
        below = self._address.topic(Channel.ACTIVE, "")
        for topic in self._retained.topics():
            if topic.startswith(below) and topic.removeprefix(below) not in topics:
                self._retained.forget(topic)
        for violation_id, active in topics.items():
            held = Wanted(active.payload, ACTIVE_EXPIRY_S, ACTIVE_REFRESH_S)
            wanted = held if active.payload else Wanted(b"")
            self._retained.want(below + violation_id, wanted)

    def _on_connect(self, _: float) -> None:
        self._asked.clear()
        self._alarms.clear()
        self._retained.connected()
        self._want_online()
        self._sender.connected(self._outbox.last_id)
        self._up = True

    def _want_online(self) -> None:
        online = self._status(Availability.ONLINE)
        self._retained.want(online.topic, Wanted(online.payload))

    def _on_disconnect(self, _: float) -> None:
        self._up = False
        self._asked.clear()

    def _on_puback(self, mid: int, code: int, now: float) -> None:
        asked = self._asked.pop(mid, None)
        if isinstance(asked, Publication):
            if code >= reasons.FAILURE:
                self._alarm(asked.topic, code)
                self._retained.refused(asked, now)
            elif self._retained.confirmed(asked) and not asked.payload:
                self._outbox.note_cleared(asked.topic.rsplit("/", 1)[-1])
        elif asked is not None and code >= reasons.FAILURE:
            self._alarm(self._address.topic(Channel.VIOLATION), code)
            self._sender.refused(asked, now)
        elif asked is not None and code == reasons.NO_MATCHING_SUBSCRIBERS:
            self._alarm(self._address.topic(Channel.VIOLATION), code)
            self._sender.unheard(asked, now)

    def _on_ack(self, received: Received) -> None:
        if received.retain:
            log.warning("a retained ack is ignored: acks are answers, nobody may keep them")
            return
        try:
            self._acks += Ack.model_validate_json(received.payload).root
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            log.warning(
                "an ack that is none is ignored",
                extra={"bytes": len(received.payload), "error": first["msg"][:200]},
            )

    def _alarm(self, topic: str, code: int) -> None:
        """Say, once a connection, what the broker does not do, and the fix."""
        if (topic, code) not in self._alarms:
            self._alarms.add((topic, code))
            level = logging.ERROR if code >= reasons.FAILURE else logging.WARNING
            extra = {"topic": topic, "code": code, "fix": reasons.fix(code)}
            log.log(level, "the broker took a message and did not pass it on", extra=extra)

    def _take_health(self, health: Health) -> None:
        self._health, self._told = health, ()
        self._tell_outbox()

    def _tell_outbox(self) -> None:
        """Publish health anew when a loss, a refusal or the disk changed what it says."""
        outbox = self._outbox.health()
        news = (outbox.storage, outbox.lost, outbox.refused, outbox.epoch)
        if self._health is not None and news != self._told:
            self._told = news
            self._retained.want(
                self._address.topic(Channel.HEALTH), Wanted(_with(self._health, outbox).to_json())
            )

    def _status(self, state: Availability) -> Publication:
        will = state is Availability.OFFLINE
        status = Status(
            state=state,
            boot=self._boot,
            version=self._version,
            model=self._model,
            at=None if will else self._clock.now().utc,
        )
        return Publication(self._address.topic(Channel.STATUS), status.to_json(), retain=True)


def _with(health: Health, outbox: OutboxHealth) -> Health:
    return health.model_copy(update={"outbox": outbox})


def _nothing(_: float) -> None:
    """Wake the link: something was committed."""


def _nobody() -> None:
    """Stand in for a listener."""
