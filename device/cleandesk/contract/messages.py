"""Every message of the contract as a type: validation, JSON Schema and documentation in one."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel, model_validator

from cleandesk.contract.topics import ID_PATTERN

SCHEMA_VERSION = 1

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Text = Annotated[str, Field(max_length=200)]
#: A SHA-256.
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Message(BaseModel):
    """What all messages share.

    A reader of an older version takes a newer message: unknown keys are ignored, and no key ever
    changes its meaning.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, populate_by_name=True, serialize_by_alias=True
    )

    schema_version: int = Field(
        SCHEMA_VERSION, alias="schema", ge=1, description="Contract version"
    )

    def to_json(self) -> bytes:
        """Return the message as UTF-8 JSON, unset keys left out."""
        return self.model_dump_json(exclude_none=True).encode()


class Severity(StrEnum):
    """How much a violation matters to the site."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Phase(StrEnum):
    """Where in its life a violation is."""

    OPEN = "open"
    UPDATE = "update"
    CLOSE = "close"


class CloseReason(StrEnum):
    """Why a violation ended.

    `cleared`: the desk was seen clean. `break`, `off`: sensing or the rule's hours ended.
    `restart`: the box was away longer than the rule's grace time. `config`: the rule is gone or
    changed. `expired`: suspended too long to be vouched for.
    """

    CLEARED = "cleared"
    BREAK = "break"
    OFF = "off"
    RESTART = "restart"
    CONFIG = "config"
    EXPIRED = "expired"


class CameraFault(StrEnum):
    """A camera that cannot be believed. A fault is never a clean desk."""

    UNAVAILABLE = "unavailable"
    STALLED = "stalled"
    ENDED = "ended"
    BLACK = "black"
    FROZEN = "frozen"
    BROKEN = "broken"


class ViolationFacts(Message):
    """What a violation is, at one moment of its life."""

    violation_id: Id
    rule: Text
    class_name: Text = Field(alias="class", description="The detector's class, e.g. phone")
    zone: Text
    severity: Severity
    score: Fraction = Field(description="Best score so far")
    dwell_s: Seconds = Field(description="From first to last sight")
    place: tuple[Fraction, Fraction, Fraction, Fraction] = Field(
        description="Where: x1, y1, x2, y2 as fractions of the picture"
    )
    suspended: bool = Field(default=False, description="The camera cannot tell at present")
    opened_at: AwareDatetime
    clock_synced: bool = Field(description="Whether the box's wall clock can be trusted")


class ViolationEvent(ViolationFacts):
    """`violation`: one message about a violation; committed, then sent, re-sent unchanged."""

    event_id: Id
    epoch: Id = Field(description="New with each outbox file")
    seq: Count = Field(description="Counts up by one for each event of the epoch, from 1")
    phase: Phase
    reason: CloseReason | None = Field(default=None, description="Set when, and only when, closed")
    at: AwareDatetime
    boot: Id = Field(description="Id of the power-on")
    model: Digest = Field(description="Model's sha256")

    @model_validator(mode="after")
    def _reason_goes_with_close(self) -> Self:
        if (self.reason is not None) != (self.phase is Phase.CLOSE):
            raise ValueError(f"reason {self.reason} does not go with phase {self.phase}")
        return self


class ActiveViolation(ViolationFacts):
    """`active/<violation_id>`, retained: what is open now, for late subscribers."""

    since_event: Id = Field(description="The event that last changed it")


class Availability(StrEnum):
    """Whether a box is on the line."""

    ONLINE = "online"
    OFFLINE = "offline"
    STOPPED = "stopped"


class Status(Message):
    """`status`, retained and the last will."""

    state: Availability
    boot: Id
    version: Text = Field(description="The software's version")
    model: Text = Field(description="The detector's name and version")
    at: AwareDatetime | None = Field(default=None, description="Absent in the last will")
    safe_mode: Text | None = Field(
        default=None,
        description="Why the box is in safe mode: it looks at nothing; absent: it is not",
    )


class PrivacyState(StrEnum):
    """What the sensor does about the worker."""

    WORKING = "working"
    BREAK = "break"
    ABSENT = "absent"
    OFF = "off"
    FAULT = "fault"


class BreakReason(StrEnum):
    """Why a worker takes a break: a code, so that nobody has to write about themselves."""

    WATER = "water"
    REST = "rest"
    VISITOR = "visitor"
    CALL = "call"
    OTHER = "other"


class BreakLimit(StrEnum):
    """A site's limit that a break goes beyond. Reported, and nothing more: no break is refused."""

    LENGTH = "length"
    COUNT = "count"


class Privacy(Message):
    """`privacy`, retained: whether the box is looking, since when, and why not."""

    state: PrivacyState
    reason: Text | None = Field(default=None, description="Break code, or the fault's name")
    since: AwareDatetime
    until: AwareDatetime | None = Field(
        default=None, description="When a break reaches the site's length; it does not end then"
    )
    beyond: list[BreakLimit] | None = Field(
        default=None, description="Limits of the site that this break goes beyond"
    )


class AckStatus(StrEnum):
    """What became of an event. Each one releases the outbox."""

    COMMITTED = "committed"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class AckResult(BaseModel):
    """The subscriber's answer to one delivery."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: Annotated[str, Field(pattern=r"^([0-9a-f]{32}|sha256:[0-9a-f]{64})$")] = Field(
        description="event_id, appeal_id or still_id; of what has none, 'sha256:' and its digest"
    )
    result: AckStatus
    reason: Annotated[str, Field(max_length=500)] | None = None


class Ack(RootModel[Annotated[list[AckResult], Field(max_length=1000)]]):
    """`ack`, from the subscriber: one result for every delivery, duplicates too."""

    def to_json(self) -> bytes:
        """Return the message as UTF-8 JSON."""
        return self.model_dump_json(exclude_none=True).encode()


def timestamp(moment: datetime) -> str:
    """Return a moment the way the contract writes it: RFC 3339, UTC, milliseconds, 'Z'."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
