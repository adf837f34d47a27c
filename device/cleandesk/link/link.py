"""The link: one thread that carries events, state and health to the broker, and answers back."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

from cleandesk.clock import Clock, Instant
from cleandesk.contract.config_messages import ReportedConfig
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.health import Health
from cleandesk.contract.messages import Availability, Privacy, Status
from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from cleandesk.contract.topics import Address, Channel, Side
from cleandesk.link.arrivals import Arrivals
from cleandesk.link.deafness import Deafness
from cleandesk.link.outbox import Outbox
from cleandesk.link.paper import Paper
from cleandesk.link.pubacks import Pubacks
from cleandesk.link.retained import Retained, Wanted
from cleandesk.link.senders import Senders
from cleandesk.link.settling import Settling
from cleandesk.link.shown import Shown
from cleandesk.link.standing import Standing
from cleandesk.link.statuses import Statuses
from cleandesk.watchdog import Heartbeat

log = logging.getLogger(__name__)

TICK_S = 1.0
_TURN_S = 60.0  # longest turn: a damaged outbox is salvaged in one
_MAX_PACKET = 1 << 20  # an `ack` of 1000 results, each with a reason, stays below
_LAST_EVENTS_S = 2.0
_NOTICES_A_TURN = 200  # then something is sent, however many there are
Notice = Callable[[float], None]


def _unasked(*_: object) -> None:
    """Stand in for one who takes requests, or configurations."""


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
        on_request: Takes what comes on `cmd/<name>/request`, and when it came; in the link's
            thread.
        on_desired: Takes what comes on `config/desired`; in the link's thread.
        safe_mode: Why the box is in safe mode; None: it is not.

    Attributes:
        heartbeats: Of its own thread, and of the session's.
    """

    def __init__(  # noqa: PLR0913 - all but three are keywords
        self,
        settings: BrokerSettings,
        address: Address,
        outbox: Outbox,
        *,
        clock: Clock,
        boot: str,
        version: str,
        model: str,
        on_request: Callable[[Received, Instant], None] = _unasked,
        on_desired: Callable[[Received], None] = _unasked,
        safe_mode: str | None = None,
    ) -> None:
        self._address, self._outbox, self._clock = address, outbox, clock
        self._statuses = Statuses(address, clock, boot, version, model, safe_mode)
        self._inbox: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        self._senders = Senders(outbox, settings, address)
        self._settling = Settling(outbox, self._senders)
        self._arrivals = Arrivals(
            address,
            clock,
            largest=_MAX_PACKET,
            on_ack=self._settling.take,
            on_desired=on_desired,
            on_request=on_request,
        )
        self._deafness = Deafness(settings.ack_timeout_s)
        self._retained = Retained(settings.retry_max_s)
        self._pubacks = Pubacks(outbox, self._retained)
        self._shown = Shown(outbox, self._retained, self._pubacks, address)
        self._health: Health | None = None
        self._stray: str | None = None
        self._told: tuple[object, ...] = ()
        self._up, self._epoch, self._next_tick = False, outbox.epoch, 0.0
        self._stopping = threading.Event()
        self._heartbeat, session = (Heartbeat(name, self._mono) for name in ("link", "mqtt"))
        self.heartbeats = (self._heartbeat, session)
        self._want_online()  # the first of all topics
        self._session = Session(
            settings,
            address.client_id,
            will=self._statuses.publication(Availability.OFFLINE),
            subscriptions=[
                address.topic(Channel.ACK),
                address.topic(Channel.COMMAND, "+", Side.REQUEST),
                address.topic(Channel.DESIRED),
            ],
            on_message=self._on_message,
            on_connect=lambda: self._inbox.put(self._on_connect),
            on_disconnect=lambda: self._inbox.put(self._on_disconnect),
            on_puback=lambda mid, code: self._inbox.put(
                lambda now: self._pubacks.arrived(mid, code, now)
            ),
            alive=session.beat,
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
        if self.connected and self._senders.flowing:
            self.wait_drained(_LAST_EVENTS_S)
        self._outbox.listen(_nobody)
        self._stopping.set()
        self._inbox.put(_nothing)
        if self._thread.is_alive():
            self._thread.join()
        self._leave_true_words()
        last = Availability.STOPPED if orderly else Availability.OFFLINE
        self._session.stop(self._statuses.publication(last))
        self._take_notices()  # the last confirmations

    def _leave_true_words(self) -> None:
        """Publish the last health and privacy; the link's thread is done and nothing changes."""
        self._inbox.put(_nothing)
        self._take_notices()
        if not self.connected:
            return
        self._told = ()
        self._tell_outbox()
        with contextlib.suppress(NotConnectedError):  # then the last will speaks for us
            self._shown.publish(self._session.publish, time.monotonic())

    def set_health(self, health: Health) -> None:
        """Publish health now and after each connect; the link keeps its outbox part current."""
        self._inbox.put(lambda _: self._take_health(health))

    def set_privacy(self, privacy: Privacy) -> None:
        """Enter in the ledger whether the box is looking; publish it, and after each connect."""
        self._outbox.say(Paper.privacy(self._address, privacy))

    def set_reported(self, reported: ReportedConfig) -> None:
        """Publish what became of the configuration, now and after each connect."""
        wanted = Wanted(reported.to_json())
        self._inbox.put(
            lambda _: self._retained.want(self._address.topic(Channel.REPORTED), wanted)
        )

    def republish(self) -> None:
        """Publish all retained topics anew, as after a connect."""
        self._inbox.put(lambda _: self._shown.connected())

    def reconnect(self) -> None:
        """Connect anew, by key and certificate as they are now; what is unanswered goes again."""
        self._session.reconnect()

    @property
    def status(self) -> Status:
        """What `status` says while the box runs."""
        return self._statuses.of(Availability.ONLINE)

    def wait_drained(self, timeout_s: float, *, unless: threading.Event | None = None) -> bool:
        """Wait until every event and paper is settled; say whether it is.

        Args:
            timeout_s: Wait at most so long, seconds.
            unless: Stop to wait when this is set.
        """
        give_up = time.monotonic() + timeout_s
        unless = unless or threading.Event()
        while self._outbox.waiting:
            if time.monotonic() >= give_up or unless.wait(0.02):
                return False
        return True

    @property
    def connected(self) -> bool:
        """Whether the broker has us: what is committed from now on is no replay."""
        return self._up and self._session.connected

    @property
    def standing(self) -> Standing:
        """How it stands with the broker and the subscriber."""
        last, ended = self._settling.last, self._session.ended
        return Standing(
            connected=self.connected,
            ended=ended,
            refused=self._pubacks.refused,
            heard=self._pubacks.heard,
            ack_age_s=None if last is None else time.monotonic() - last,
        )

    def probe(
        self,
        topic_filter: str,
        publication: Publication,
        told: Callable[[int, str | None], None],
    ) -> None:
        """Try to read and to write what is not the box's own; maybe nothing is told.

        Args:
            topic_filter: Subscribed to for a moment. What is retained there comes before the answer
                to the publication; of what comes only the topic is kept.
            publication: Published.
            told: Told the broker's reason code, and the topic of what came, if anything did.
        """

        def answered(code: int) -> None:
            self._session.look_away(topic_filter)
            told(code, self._stray)

        def send(_: float) -> None:
            self._stray = None
            with contextlib.suppress(NotConnectedError):
                self._session.look(topic_filter)
                self._pubacks.expect_probe(self._session.publish(publication), answered)

        self._inbox.put(send)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._heartbeat.beat(_TURN_S)
            try:
                self._take_notices()
                self._step(time.monotonic())
            except NotConnectedError:
                self._up = False  # its notice is on the way
            except Exception:
                log.exception("the link failed at one step, and goes on")
                self._stopping.wait(TICK_S)

    def _mono(self) -> float:
        return self._clock.now().mono

    def _take_notices(self) -> None:
        now = time.monotonic()
        due = self._senders.next_due() if self._up else None
        wait_s = min(self._next_tick, now + TICK_S if due is None else due) - now
        try:
            self._inbox.get(timeout=max(0.0, wait_s))(time.monotonic())
            for _ in range(_NOTICES_A_TURN):
                self._inbox.get_nowait()(time.monotonic())
        except queue.Empty:
            return

    def _step(self, now: float) -> None:
        if now >= self._next_tick:
            self._next_tick = now + TICK_S
            self._outbox.tick()
            self._tell_outbox()
            self._arrivals.complain(now)
            self._listen_anew(now)
        self._settling.settle(now)
        if not self._up:
            return
        if self._outbox.epoch != self._epoch:
            self._epoch = self._outbox.epoch
            self._senders.connected()
        self._shown.publish(self._session.publish, now)
        for shipment in self._senders.due(now):
            self._pubacks.expect_shipment(self._session.publish(shipment.publication), shipment)

    def _listen_anew(self, now: float) -> None:
        flowing, answered_at = self._senders.flowing, self._settling.last
        if self._up and self._deafness.suspected(flowing=flowing, answered_at=answered_at, now=now):
            log.warning("nobody answers on this connection: begin another one")
            self._session.reconnect()

    def _on_connect(self, _: float) -> None:
        self._pubacks.connected()
        self._shown.connected()
        self._want_online()
        self._senders.connected()
        self._up = True

    def _want_online(self) -> None:
        online = self._statuses.publication(Availability.ONLINE)
        self._retained.want(online.topic, Wanted(online.payload))

    def _on_disconnect(self, _: float) -> None:
        self._up = False

    def _on_message(self, received: Received) -> None:
        if not self._arrivals.are_for(received.topic):
            self._stray = received.topic
            return
        deal = self._arrivals.put(received)
        if deal is not None:
            self._inbox.put(deal)

    def _take_health(self, health: Health) -> None:
        self._health, self._told = health, ()
        self._tell_outbox()

    def _tell_outbox(self) -> None:
        """Publish health anew when a loss, a refusal or the disk changed what it says."""
        outbox = self._outbox.health()
        news = (outbox.storage, outbox.lost, outbox.refused, outbox.epoch)
        if self._health is not None and news != self._told:
            self._told = news
            health = self._health.model_copy(
                update={"outbox": outbox, "requests_dropped": self._arrivals.requests_dropped}
            )
            self._retained.want(self._address.topic(Channel.HEALTH), Wanted(health.to_json()))


def _nothing(_: float) -> None:
    """Wake the link: something was committed."""


def _nobody() -> None:
    """Stand in for a listener."""
