"""From what arrived to what it means: an event, an appeal, a still, a report or a rejection."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC
from functools import lru_cache
from typing import TypeGuard, get_args

from pydantic import AwareDatetime, ValidationError

from cleandesk.contract.health import Health
from cleandesk.contract.messages import (
    SCHEMA_VERSION,
    AckStatus,
    Availability,
    Message,
    Privacy,
    Status,
    ViolationEvent,
)
from cleandesk.contract.mqtt import REPLAYED, Received
from cleandesk.contract.stills import MAX_STILL, StillHeaders, media_type_of
from cleandesk.contract.topics import ID_PATTERN, Address, Channel, Topic, TopicError, parse
from cleandesk.contract.worker_messages import Appeal, Idle
from cleandesk_fleet.subscriber.causes import Cause
from cleandesk_fleet.subscriber.strict_json import MAX_INTEGER, UnreadableError, check

MAX_PAYLOAD = 256 * 1024
MAX_REASON = 500  # characters that an answer holds
_MAX_SCHEMA = 2**31 - 1

_MODELS: dict[Channel, type[Message]] = {
    Channel.STATUS: Status,
    Channel.HEALTH: Health,
    Channel.PRIVACY: Privacy,
    Channel.VIOLATION: ViolationEvent,
    Channel.APPEAL: Appeal,
    Channel.IDLE: Idle,
}
_READ = frozenset({*_MODELS, Channel.STILL})
#: Boxes speak again and again: as many topics as a large fleet has.
_parse = lru_cache(maxsize=100_000)(parse)
#: Emptied by whoever takes a box out.
_RETAINED = frozenset({Channel.STATUS, Channel.HEALTH, Channel.PRIVACY})
#: What a message is answered by, where the channel is answered at all.
_IDS = {Channel.VIOLATION: "event_id", Channel.APPEAL: "appeal_id"}


@dataclass(frozen=True, slots=True)
class Event:
    """A readable event, with its bytes as they came."""

    topic: str
    address: Address
    message: ViolationEvent
    payload: bytes
    replayed: bool


@dataclass(frozen=True, slots=True)
class Objection:
    """A worker's readable appeal, with its bytes as they came."""

    topic: str
    address: Address
    message: Appeal
    payload: bytes
    replayed: bool


@dataclass(frozen=True, slots=True)
class StillReading:
    """A violation's picture, which is what its headers say."""

    topic: str
    address: Address
    violation_id: str
    headers: StillHeaders
    payload: bytes
    replayed: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A box's word about itself. `stored`: the broker's retained copy, of unknown age."""

    topic: str
    address: Address
    message: Status | Health | Privacy | Idle
    payload: bytes
    stored: bool


@dataclass(frozen=True, slots=True)
class Cleared:
    """A retained topic was emptied: somebody took the box out, or tidies up."""

    topic: str
    address: Address
    channel: Channel


@dataclass(frozen=True, slots=True)
class Rejected:
    """What cannot be logged.

    Attributes:
        address: None if the topic does not name a box; then nobody can be answered.
        status: `quarantined`, or `refused`: readable for others, not for this subscriber.
        answer_id: The event's, appeal's or still's id, or `sha256:` and the payload's digest.
        number: Epoch and seq where they can be read: that event will not come.
        keep: Whether the payload may be kept: not that of a site that is not ours.
        stored: The broker's retained copy.
        cause: The reason as it is counted.
    """

    topic: str
    payload: bytes
    address: Address | None
    status: AckStatus
    reason: str
    answer_id: str
    number: tuple[str, int] | None = None
    keep: bool = True
    stored: bool = False
    cause: Cause = Cause.CONFLICT


Reading = Event | Objection | StillReading | Report | Cleared | Rejected


def spoke(reading: Reading) -> Address | None:
    """Return the box that proves by this delivery that it is alive.

    The broker's retained copies do not, nor a last will, nor what is not for us.
    """
    match reading:
        case Event() | Objection() | StillReading():
            return reading.address
        case Report(message=Status(state=Availability.OFFLINE)) | Cleared():
            return None
        case Report():
            return None if reading.stored else reading.address
        case Rejected():
            return reading.address if reading.keep and not reading.stored else None


def turn_away(reading: Event | Objection | StillReading | Report, reason: str) -> Rejected:
    """Turn a readable delivery into one that cannot be logged."""
    match reading:
        case Event():
            own_id: str | None = reading.message.event_id
        case Objection():
            own_id = reading.message.appeal_id
        case StillReading():
            own_id = reading.headers.still_id
        case Report():
            own_id = None
    return Rejected(
        topic=reading.topic,
        payload=reading.payload,
        address=reading.address,
        status=AckStatus.QUARANTINED,
        reason=reason[:MAX_REASON],
        answer_id=own_id or _digest_id(reading.payload),
    )


def read(received: Received, sites: Collection[str] | None) -> Reading:
    """Say what a delivery is. Never raises, whatever the bytes.

    Args:
        received: Topic, payload and properties as they came.
        sites: Sites to log, or None for all.
    """
    try:
        topic = _parse(received.topic)
    except TopicError as error:
        return _reject(received, None, str(error), Cause.TOPIC)
    if sites is not None and topic.address.site not in sites:
        return _reject(
            received,
            topic,
            f"site '{topic.address.site}' is not logged here: add it to 'sites'",
            Cause.SITE,
            status=AckStatus.REFUSED,
            keep=False,
        )
    if topic.channel not in _READ:
        reason = f"channel '{topic.channel}' is not for subscribers"
        return _reject(received, topic, reason, Cause.CHANNEL)
    if not received.payload and topic.channel in _RETAINED:
        return Cleared(received.topic, topic.address, topic.channel)
    if len(received.payload) > MAX_PAYLOAD:
        reason = f"{len(received.payload)} bytes; at most {MAX_PAYLOAD} are read"
        return _reject(received, topic, reason, Cause.SIZE)
    return (_read_still if topic.channel is Channel.STILL else _read_payload)(received, topic)


def _read_still(received: Received, topic: Topic) -> Reading:
    try:
        headers = StillHeaders.read(received.user)
        _check_values(headers)
    except (ValidationError, UnreadableError) as error:
        reason = f"user properties: {_problems(error)}"
        return _reject(received, topic, reason, Cause.STILL)
    size, digest = len(received.payload), hashlib.sha256(received.payload).hexdigest()
    reason = ""
    if received.retain:
        reason = "a still is never retained: somebody else keeps it at the broker"
    elif size > MAX_STILL:
        reason = f"{size} bytes; a still has at most {MAX_STILL}"
    elif digest != headers.sha256:
        reason = f"its sha256 is {digest}, not {headers.sha256}"
    elif media_type_of(received.payload) != headers.media_type:
        reason = f"it is no {headers.media_type}"
    if reason or topic.violation_id is None:
        return _reject(received, topic, reason, Cause.STILL, own_id=headers.still_id)
    replayed = any(name == REPLAYED[0] for name, _ in received.user)
    address = topic.address
    return StillReading(
        received.topic, address, topic.violation_id, headers, received.payload, replayed
    )


def _read_payload(received: Received, topic: Topic) -> Reading:
    try:
        value = check(received.payload)
    except UnreadableError as error:
        return _reject(received, topic, str(error), Cause.JSON)
    try:
        # Strict: a number in quotes, or a time as a number, is a sender's mistake.
        message = _MODELS[topic.channel].model_validate_json(received.payload, strict=True)
        _check_values(message)
    except (ValidationError, UnreadableError) as error:
        return _misfit(received, topic, value, error)
    replayed = any(name == REPLAYED[0] for name, _ in received.user)
    if isinstance(message, ViolationEvent):
        return Event(received.topic, topic.address, message, received.payload, replayed)
    if isinstance(message, Appeal):
        return Objection(received.topic, topic.address, message, received.payload, replayed)
    if isinstance(message, Status | Health | Privacy | Idle):
        return Report(
            received.topic, topic.address, message, received.payload, stored=received.retain
        )
    raise AssertionError(message)


def _misfit(
    received: Received, topic: Topic, value: object, error: ValidationError | UnreadableError
) -> Rejected:
    """Turn away JSON that is not the message it should be."""
    fields: dict[str, object] = value if isinstance(value, dict) else {}
    version = fields.get("schema")
    newer = type(version) is int and version > SCHEMA_VERSION
    reason = _problems(error)
    if newer:
        reason = f"schema {version}, this subscriber reads {SCHEMA_VERSION}: upgrade it; {reason}"
    is_event = topic.channel is Channel.VIOLATION
    own_id = fields.get(_IDS.get(topic.channel, ""))
    return _reject(
        received,
        topic,
        reason,
        Cause.VERSION if newer else Cause.FIELDS,
        status=AckStatus.REFUSED if newer else AckStatus.QUARANTINED,
        own_id=own_id if _is_id(own_id) else None,
        number=_number(fields) if is_event else None,
    )


def _number(fields: dict[str, object]) -> tuple[str, int] | None:
    epoch, seq = fields.get("epoch"), fields.get("seq")
    if _is_id(epoch) and type(seq) is int and 0 < seq < MAX_INTEGER:
        return epoch, seq
    return None


def _reject(
    received: Received,
    topic: Topic | None,
    reason: str,
    cause: Cause,
    *,
    status: AckStatus = AckStatus.QUARANTINED,
    own_id: str | None = None,
    number: tuple[str, int] | None = None,
    keep: bool = True,
) -> Rejected:
    return Rejected(
        topic=received.topic,
        payload=received.payload,
        address=topic.address if topic else None,
        status=status,
        reason=reason[:MAX_REASON],
        answer_id=own_id or _digest_id(received.payload),
        number=number,
        keep=keep,
        stored=received.retain,
        cause=cause,
    )


def _digest_id(payload: bytes) -> str:
    return f"sha256:{hashlib.sha256(payload).hexdigest()}"


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(ID_PATTERN, value) is not None


def _problems(error: ValidationError | UnreadableError) -> str:
    if isinstance(error, UnreadableError):
        return str(error)
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'message'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)[:3]
    )


@lru_cache
def _moments(model: type[Message]) -> list[str]:
    """Return the fields that are a time."""
    return [
        name
        for name, field in model.model_fields.items()
        if AwareDatetime in {field.annotation, *get_args(field.annotation)}
    ]


def _check_values(message: Message) -> None:
    """Refuse what the types allow and the log cannot hold.

    One such message would hold up all that share a commit with it.
    """
    if message.schema_version > _MAX_SCHEMA:
        raise UnreadableError(f"schema: {message.schema_version} is out of range")
    for name in _moments(type(message)):
        value = getattr(message, name)
        # In any other year there is room for a day's shift.
        if value is not None and value.year in {MINYEAR, MAXYEAR}:
            try:
                value.astimezone(UTC)
            except OverflowError:
                raise UnreadableError(f"{name}: {value.isoformat()} is out of range") from None
    if isinstance(message, ViolationEvent) and message.seq == 0:
        raise UnreadableError("seq: 0, but events count from 1")
