"""The checks of the broker: by the link of a box that runs, else by a connection of our own.

The broker takes a box's certificate for its client id, so a second connection puts the first one
out: while the box runs only its own link may speak.

What a box may write is told by the broker's reason code. What it may read is not: mosquitto grants
every subscription, and delivers nothing of it. So the box subscribes for a moment to every box's
`status`, of which its own is retained, and which no box may read: if the rule is missing, that
comes at once. Nothing but the topic is kept of it.
"""

import queue
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from cleandesk.clock import Clock, Instant
from cleandesk.contract import reasons
from cleandesk.contract.commands import Outcome
from cleandesk.contract.doctor_messages import DoctorCheck, DoctorCode, DoctorResponse
from cleandesk.contract.ending import End, Trouble
from cleandesk.contract.publication import NotConnectedError, Publication
from cleandesk.contract.topics import MAX_COMMON_NAME, Address, Channel, Command, Side, everyones
from cleandesk.contract.wire import IN_FLIGHT, Connection, Handlers, Profile
from cleandesk.doctor.findings import failed, judged, not_tried, passed
from cleandesk.identity.proof import stopped
from cleandesk.link import Standing
from cleandesk.settings import BoxSettings

_PATIENCE_S = 20.0
_WAY = (DoctorCode.BROKER_UNREACHABLE, DoctorCode.BROKER_UNTRUSTED, DoctorCode.BROKER_REFUSED)
BROKER_CODES = (
    *_WAY,
    DoctorCode.OWN_TOPIC_DENIED,
    DoctorCode.OTHER_BOX_ALLOWED,
    DoctorCode.NO_SUBSCRIBER,
)
_OF_TROUBLE = {
    Trouble.UNREACHABLE: DoctorCode.BROKER_UNREACHABLE,
    Trouble.LOST: DoctorCode.BROKER_UNREACHABLE,
    Trouble.UNTRUSTED: DoctorCode.BROKER_UNTRUSTED,
    Trouble.REFUSED: DoctorCode.BROKER_REFUSED,
    Trouble.DENIED: DoctorCode.OWN_TOPIC_DENIED,
}


Probe = Callable[[str, Publication, Callable[[int, str | None], None]], None]


class Dial:
    """One connection as the box, to try something by. Use it in a `with`.

    Attributes:
        ended: How it ended before it was ready; None: the broker took us.
        heard: Topics of what came.
    """

    def __init__(self, settings: BoxSettings, subscriptions: Sequence[str]) -> None:
        self.ended: End | None = None
        self.heard: list[str] = []
        self._told: queue.SimpleQueue[End | None] = queue.SimpleQueue()
        self._codes: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._stop = threading.Event()
        profile = Profile(
            client_id=Address(settings.site, settings.box).client_id,
            will=None,
            session_expiry_s=0,
            subscriptions=tuple(subscriptions),
            manual_ack=False,
            receive_maximum=IN_FLIGHT,
            maximum_packet=None,
        )
        handlers = Handlers(
            message=lambda received: self.heard.append(received.topic),
            ready=lambda: self._told.put(None),
            puback=lambda _, code: self._codes.put(code),
        )
        self._connection = Connection(
            settings.broker, profile, handlers, number=1, in_flight=IN_FLIGHT
        )
        self._thread = threading.Thread(target=self._run, name="doctor", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.ended = self._told.get(timeout=_PATIENCE_S)
        except queue.Empty:
            self.ended = End("no answer", "", trouble=Trouble.UNREACHABLE)
        return self

    def __exit__(self, *_: object) -> None:
        if self.ended is None:
            self._connection.close()
        self._stop.set()
        self._thread.join(_PATIENCE_S)

    def code(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Publish something; return the broker's reason code, or None if the connection is gone."""
        try:
            self._connection.publish(Publication(topic, payload, retain=retain))
            return self._codes.get(timeout=_PATIENCE_S)
        except (NotConnectedError, queue.Empty):
            return None

    def _run(self) -> None:
        self._told.put(self._connection.run(self._stop))


def try_broker(settings: BoxSettings, clock: Clock) -> list[DoctorCheck]:
    """Connect as the box, which does not run; its `status` says `stopped`, as after a claim."""
    address = Address(settings.site, settings.box)
    own = [address.topic(Channel.ACK), address.topic(Channel.DESIRED)]
    own.append(address.topic(Channel.COMMAND, "+", Side.REQUEST))
    with Dial(settings, own) as dial:
        if dial.ended is not None:
            return unconnected(dial.ended)
        status, answer = (
            address.topic(Channel.STATUS),
            address.command(Command.DOCTOR, Side.RESPONSE),
        )
        codes = {
            status: dial.code(status, stopped(clock), retain=True),
            answer: dial.code(answer, to_nobody(clock.now())),
        }
        other = dial.code(nobodys(address), to_nobody(clock.now()))
    checks = [*connected(settings), _own_of(codes), _other(other, settings, clock)]
    if (heard := codes[status]) is None or heard >= reasons.FAILURE:
        return checks + not_tried([DoctorCode.NO_SUBSCRIBER], "status was not taken")
    return [*checks, _subscribed(heard=heard != reasons.NO_MATCHING_SUBSCRIBERS)]


def ask_link(
    settings: BoxSettings, standing: Standing, now: Instant, probe: Probe
) -> list[DoctorCheck]:
    """Return what the running link knows, and what comes of trying what is another box's.

    Args:
        settings: The box's.
        standing: What the link knows.
        now: The present moment.
        probe: `Link.probe`.
    """
    if not standing.connected:
        if standing.ended is None:
            return not_tried(BROKER_CODES, "the box has only just begun to connect: ask again")
        return unconnected(standing.ended)
    told: queue.SimpleQueue[tuple[int | None, str | None]] = queue.SimpleQueue()
    word = Publication(nobodys(Address(settings.site, settings.box)), to_nobody(now))
    probe(everyones(Channel.STATUS), word, lambda code, heard: told.put((code, heard)))
    try:
        wrote, heard = told.get(timeout=settings.broker.ack_timeout_s)
    except queue.Empty:
        wrote, heard = None, None
    other = _written(wrote) or _delivered(wrote, heard)
    checks = [*connected(settings), _own(standing.refused), other]
    if standing.heard is None:
        return checks + not_tried([DoctorCode.NO_SUBSCRIBER], "nothing was confirmed yet")
    return [*checks, _subscribed(heard=standing.heard)]


def unconnected(ended: End) -> list[DoctorCheck]:
    """Return what kept us from the broker; what comes before it is not so."""
    if ended.trouble is None or ended.trouble is Trouble.FILES:
        return not_tried(BROKER_CODES, ended.why)
    code = _OF_TROUBLE[ended.trouble]
    at = BROKER_CODES.index(code)
    return [
        *(passed(one, f"not so: {code}") for one in BROKER_CODES[:at]),
        failed(code, ended.why),
        *not_tried(BROKER_CODES[at + 1 :], "there is no connection"),
    ]


def connected(settings: BoxSettings) -> list[DoctorCheck]:
    """Return that the broker has us."""
    where = f"{settings.broker.host}:{settings.broker.port} takes this box"
    return [passed(code, where) for code in _WAY]


def to_nobody(now: Instant) -> bytes:
    """Return an answer that nobody asked for: what is published to hear the reason code."""
    return DoctorResponse(
        outcome=Outcome.DONE,
        detail="an answer to nobody: the box looks which topics it may write",
        at=now.utc,
        clock_synced=now.synced,
    ).to_json()


def nobodys(address: Address) -> str:
    """Return a topic of a box that there is not, on which nobody would hear anything."""
    room = MAX_COMMON_NAME - len(f"{address.site}/")
    other = Address(address.site, uuid.uuid4().hex[:room])
    return other.command(Command.DOCTOR, Side.RESPONSE)


def _own_of(codes: Mapping[str, int | None]) -> DoctorCheck:
    refused = {topic: code for topic, code in codes.items() if code and code >= reasons.FAILURE}
    silent = [topic for topic, code in codes.items() if code is None]
    if silent and not refused:
        why = f"the broker did not answer to {silent[0]}"
        return not_tried([DoctorCode.OWN_TOPIC_DENIED], why)[0]
    return _own(refused)


def _own(refused: Mapping[str, int]) -> DoctorCheck:
    said = f"refused: {dict(refused)}" if refused else "its topics are granted, none was refused"
    return judged(DoctorCode.OWN_TOPIC_DENIED, said, wrong=bool(refused))


def _other(wrote: int | None, settings: BoxSettings, clock: Clock) -> DoctorCheck:
    return _written(wrote) or _read(wrote, settings, clock)


def _written(wrote: int | None) -> DoctorCheck | None:
    """Judge what the broker said to a word on another's topic; None: it denied it."""
    code = DoctorCode.OTHER_BOX_ALLOWED
    if wrote is None:
        return not_tried([code], "the broker did not answer to it")[0]
    if wrote < reasons.FAILURE:
        return failed(code, f"the broker took a message on another box's topic ({wrote})")
    return None


def _read(wrote: int | None, settings: BoxSettings, clock: Clock) -> DoctorCheck:
    code, address = DoctorCode.OTHER_BOX_ALLOWED, Address(settings.site, settings.box)
    with Dial(settings, [everyones(Channel.STATUS)]) as dial:
        if dial.ended is not None and dial.ended.trouble is not Trouble.DENIED:
            return not_tried([code], f"writing is denied ({wrote}); reading: {dial.ended.why}")[0]
        # Whatever is retained comes before the answer to this.
        dial.code(address.topic(Channel.STATUS), stopped(clock), retain=True)
    return _delivered(wrote, next(iter(dial.heard), None))


def _delivered(wrote: int | None, heard: str | None) -> DoctorCheck:
    """Judge what came of what no box may read: the topic of something, or nothing."""
    code = DoctorCode.OTHER_BOX_ALLOWED
    if heard is not None:
        return failed(code, f"the broker delivers what boxes may not read: {heard}")
    return passed(code, f"writing is denied ({wrote}), and nothing of another's is delivered")


def _subscribed(*, heard: bool) -> DoctorCheck:
    said = "somebody is subscribed to status" if heard else "nobody is subscribed to status"
    return judged(DoctorCode.NO_SUBSCRIBER, said, wrong=not heard)
