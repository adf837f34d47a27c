"""An MQTT 5 session that stays: one typed client for the box and the subscriber alike."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

from cleandesk.contract import reasons, tls
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.ending import End
from cleandesk.contract.publication import (
    REPLAYED,
    NotConnectedError,
    Publication,
    Received,
    SessionError,
    TlsError,
    UserProperties,
)
from cleandesk.contract.wire import IN_FLIGHT, Connection, Handlers, Profile

__all__ = [
    "REPLAYED",
    "NotConnectedError",
    "Publication",
    "Received",
    "Session",
    "SessionError",
    "TlsError",
    "UserProperties",
]

log = logging.getLogger(__name__)

GOODBYE_S = 3.0
SUSPICIOUS = 2  # short connections in a row: more than a broker's restart
MAX_DOUBLINGS = 20
#: The session's thread may be silent for so long while it connects: a name look-up without a server
#: takes half a minute, each of a name's addresses seconds, the handshake as long as `keepalive_s`.
CONNECT_S = 120.0
TURN_S = 60.0  # a turn of its loop, and whatever a callback does meanwhile


def _nothing(*_: object) -> None:
    """Stand in for a callback that nobody gave."""


class Session:
    """Connects, stays connected, and says what happens, from one thread of its own.

    Callbacks run in that thread. They must return soon and must not wait for a lock that is held
    around `publish`; hand work to a queue. What one raises is logged and counted in
    `callback_errors`, and goes no further.

    Nothing is queued across connections: a message whose PUBACK did not come before
    `on_disconnect` is the caller's to send again. Ids of `publish` are unique over all of them.

    Args:
        settings: Where the broker is.
        client_id: The same one each time; two users of it throw each other out.
        will: What the broker publishes when we vanish.
        session_expiry_s: The broker keeps our session for so long; 0 starts a clean one each time.
        subscriptions: Topic filters, each at QoS 1.
        on_message: A message came. With a lasting session this may be before `on_connect`;
            `publish` works by then.
        on_connect: The broker took us and granted every subscription.
        on_disconnect: A connection that `on_connect` told of is gone.
        on_puback: The broker answered a publication: its id and the MQTT 5 reason code.
        alive: The thread goes on, and will be silent for at most so many seconds from now.
        manual_ack: PUBACK only by `acknowledge`, not by the return of `on_message`.
        receive_maximum: So many unacknowledged messages the broker may send us at most.
        maximum_packet: Larger packets, in bytes, the broker must not send us; None is any.

    Raises:
        TlsError: If the TLS files cannot be used.
    """

    def __init__(  # noqa: PLR0913 - all but two are keywords with a default
        self,
        settings: BrokerSettings,
        client_id: str,
        *,
        will: Publication | None = None,
        session_expiry_s: int = 0,
        subscriptions: Sequence[str] = (),
        on_message: Callable[[Received], None] = _nothing,
        on_connect: Callable[[], None] = _nothing,
        on_disconnect: Callable[[], None] = _nothing,
        on_puback: Callable[[int, int], None] = _nothing,
        alive: Callable[[float], None] = _nothing,
        manual_ack: bool = False,
        receive_maximum: int = 100,
        maximum_packet: int | None = None,
    ) -> None:
        if settings.tls is not None:
            tls.context(settings.tls)  # so that a wrong file is told before anything starts
        self._settings = settings
        self._profile = Profile(
            client_id=client_id,
            will=will,
            session_expiry_s=session_expiry_s,
            subscriptions=tuple(subscriptions),
            manual_ack=manual_ack,
            receive_maximum=receive_maximum,
            maximum_packet=maximum_packet,
        )
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._alive = alive
        self._handlers = Handlers(
            message=lambda received: self._call(on_message, received),
            ready=self._ready,
            puback=lambda mid, code: self._call(on_puback, mid, code),
            turned=lambda: alive(TURN_S),
        )
        self.callback_errors = 0
        self._connection: Connection | None = None
        self._ended: End | None = None
        self._last_answer = time.monotonic()
        # Two, as a connection is still needed for the goodbye when no other may begin any more.
        self._leaving, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"mqtt {client_id}", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self, last: Publication | None = None, *, timeout_s: float = GOODBYE_S) -> None:
        """Send a last message if there is a connection, leave in order, end the thread.

        A connection that is left in order makes the broker drop the last will.
        """
        self._leaving.set()
        connection = self._connection
        if connection is not None and connection.ready:
            if last is not None and not connection.publish_and_wait(last, timeout_s):
                log.warning("the last message was not answered", extra={"topic": last.topic})
            connection.close()
        self._stopping.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s + 10)  # a name look-up cannot be cut short
            if self._thread.is_alive():
                log.warning("the MQTT thread still hangs in a connection attempt; leaving it")

    def reconnect(self) -> None:
        """Leave in order and connect anew, with the TLS files as they are then; returns at once.

        The broker drops the last will: others hear nothing of it. From any thread.
        """
        connection = self._connection
        if connection is not None and connection.ready:
            connection.close(again=True)

    def publish(self, publication: Publication) -> int:
        """Send a message of QoS 1; return the id that `on_puback` will carry. From any thread.

        Raises:
            NotConnectedError: If there is no connection.
        """
        connection = self._connection
        if connection is None:
            raise NotConnectedError("not connected to the broker: send it after the next connect")
        return connection.publish(publication)

    def tell(self, publications: Sequence[Publication]) -> None:
        """Send messages at QoS 0, which nobody answers, all in one go. From any thread.

        Raises:
            NotConnectedError: If there is no connection.
        """
        connection = self._connection
        if connection is None:
            raise NotConnectedError("not connected to the broker: send it after the next connect")
        connection.tell(publications)

    def acknowledge(self, *messages: Received) -> None:
        """Send the PUBACK of each message (`manual_ack`), all in one go. From any thread.

        Does nothing if its connection is gone: the broker sends the message again.
        """
        connection = self._connection
        if connection is not None:
            connection.acknowledge(messages)

    def refresh(self) -> None:
        """Have the broker send once more what it has retained for our subscriptions.

        Raises:
            NotConnectedError: If there is no connection.
        """
        connection = self._connection
        if connection is None or not connection.ready:
            raise NotConnectedError("not connected to the broker: it sends it at the next connect")
        connection.subscribe()

    def look(self, topic_filter: str) -> None:
        """Subscribe to one more filter in this connection, until `look_away`. From any thread.

        A broker that does not grant it ends nothing; what comes of it goes to `on_message`.

        Raises:
            NotConnectedError: If there is no connection.
        """
        connection = self._connection
        if connection is None:
            raise NotConnectedError("not connected to the broker: look after the next connect")
        connection.look(topic_filter)

    def look_away(self, topic_filter: str) -> None:
        """Unsubscribe from it; does nothing if its connection is gone. From any thread."""
        connection = self._connection
        if connection is not None:
            connection.look_away(topic_filter)

    @property
    def connected(self) -> bool:
        """Whether the broker has us, with every subscription."""
        connection = self._connection
        return connection is not None and connection.ready

    @property
    def ended(self) -> End | None:
        """How the last connection ended; None while there is one, or before the first."""
        return None if self.connected else self._ended

    @property
    def last_answer_age_s(self) -> float:
        """Seconds since the broker last answered anything; since the start if it never did."""
        connection = self._connection
        if connection is not None and connection.ready:
            return time.monotonic() - connection.last_answer
        return time.monotonic() - self._last_answer

    def _run(self) -> None:
        number, failures, in_flight = 0, 0, IN_FLIGHT
        while not self._leaving.is_set():
            number += 1
            connection = Connection(
                self._settings,
                self._profile,
                self._handlers,
                number=number,
                in_flight=in_flight,
            )
            self._connection = connection
            self._alive(CONNECT_S + self._settings.keepalive_s)
            ended = connection.run(self._stopping)
            self._connection = None
            in_flight, self._ended = connection.in_flight, ended
            if ended.lasted_s is not None:
                self._last_answer = connection.last_answer
                self._call(self._on_disconnect)
            if self._leaving.is_set():
                return
            if ended.again:
                log.info("the connection is left, to connect anew")
                continue
            if (ended.lasted_s or 0) > self._settings.retry_max_s:
                failures = 0
            wait_s = self._wait_s(failures, ended)
            failures += 1
            _tell(ended, wait_s, again=failures > SUSPICIOUS)
            self._alive(wait_s)
            self._leaving.wait(wait_s)

    def _wait_s(self, failures: int, ended: End) -> float:
        """Double from try to try; halve at random, so that a fleet does not come in one wave."""
        longest = self._settings.retry_max_s
        wait = min(longest, self._settings.retry_min_s * 2.0 ** min(failures, MAX_DOUBLINGS))
        if ended.code == reasons.SESSION_TAKEN_OVER:
            wait = longest  # two who share an id must not throw each other out all the time
        return wait * random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing

    def _ready(self) -> None:
        log.info("connected to the broker", extra={"client_id": self._profile.client_id})
        self._call(self._on_connect)

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        try:
            callback(*args)
        except Exception:
            self.callback_errors += 1
            log.exception("a callback of the MQTT session failed")


def _tell(ended: End, wait_s: float, *, again: bool) -> None:
    level = logging.WARNING if ended.code is None else logging.ERROR
    advice = ended.advice
    if again and ended.code is None and ended.lasted_s is not None:
        # Not every broker says why: mosquitto 2.0 just closes when another one takes the id.
        advice = f"{advice}; it is short each time: {reasons.fix(reasons.SESSION_TAKEN_OVER)}"
    extra = {"reason": ended.why, "fix": advice, "code": ended.code, "retry_s": wait_s}
    log.log(level, "no broker: %s: %s", ended.why, advice, extra=extra)
