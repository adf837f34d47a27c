"""`health`: how a box does, and what waits to be delivered."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cleandesk.contract.messages import CameraFault, Count, Fraction, Id, Message, Seconds, Text
from cleandesk.contract.model_messages import BoxModel
from cleandesk.contract.update_messages import BoxUpdate


class StageTimes(BaseModel):
    """Milliseconds a frame of one stage, over the last minute."""

    model_config = ConfigDict(frozen=True)
    p50_ms: Seconds
    p95_ms: Seconds


class CameraHealth(BaseModel):
    """How the source does."""

    model_config = ConfigDict(frozen=True)
    fps: Seconds = Field(description="Looks per second over the last minute")
    frames: Count
    dropped: Count = Field(description="Frames replaced by a newer one before the loop took them")
    frame_age_s: Seconds | None = None
    fault: CameraFault | None = None
    fault_since: AwareDatetime | None = None
    fault_detail: Text | None = None
    reopened: Count = 0


class GovernorState(StrEnum):
    """How the box's heat bears on its looks.

    `full`: it looks as often as it was told to. `warm`: more rarely, so that it does not get too
    hot. `throttled`: its processor is slowed down all the same.
    """

    FULL = "full"
    WARM = "warm"
    THROTTLED = "throttled"


class GovernorHealth(BaseModel):
    """How often the box may look."""

    model_config = ConfigDict(frozen=True)
    state: GovernorState
    since: AwareDatetime


class GateHealth(BaseModel):
    """How much of a still scene needed no look."""

    model_config = ConfigDict(frozen=True)
    skipped_share: Fraction = Field(
        description="Of the frames that were due in the last minute, those that showed what the "
        "last look saw"
    )


class LostRange(BaseModel):
    """Events that will never come: `first` to `last`, both included.

    Subscribers count as lost what they have not logged of it, so a range may safely be too wide.
    """

    model_config = ConfigDict(frozen=True)
    epoch: Id
    first: Count
    last: Count
    reason: Literal["full", "disk", "corrupt"]


class OutboxHealth(BaseModel):
    """What waits to be delivered, and what never will be."""

    model_config = ConfigDict(frozen=True)
    epoch: Id
    next_seq: Count = Field(description="The next event's; everything below was used")
    depth: Count
    bytes: Count
    oldest_s: Seconds | None = Field(default=None, description="Powered-on time it has waited")
    lost: Count = Field(description="Events lost in this epoch and salvaged ones")
    lost_ranges: list[LostRange] = Field(default_factory=list, max_length=64)
    refused: Count = Field(default=0, description="Answered 'refused' or 'quarantined'")
    storage: Literal["ok", "full", "failing"] = "ok"


class RequestsHealth(BaseModel):
    """What became of requests since the start of the process."""

    model_config = ConfigDict(frozen=True)
    done: Count = Field(description="Taken and done, or refused for a reason of their own")
    refused: Count = Field(description="Malformed, too late, or too many of their kind")
    ignored: Count = Field(description="Retained, or for no command of this box: never answered")


class StillHealth(BaseModel):
    """What became of pictures that a violation could have had, since the box's start."""

    model_config = ConfigDict(frozen=True)
    made: Count
    refused: Count = Field(description="Too little of the thing could be shown without anybody")
    dropped: Count = Field(description="Not made: too many at once, or a break began")


class Health(Message):
    """`health`, retained: every minute, and at once when a fault or a loss begins or ends."""

    at: AwareDatetime
    boot: Id
    uptime_s: Seconds = Field(description="Since the power-on that `boot` names, suspended or not")
    clock_synced: bool
    scheduled_rules_active: bool
    camera: CameraHealth
    stages: dict[str, StageTimes]
    outbox: OutboxHealth
    memory_mb: Seconds
    temperature_c: float | None = None
    throttled: bool | None = None
    looks_per_s_target: Seconds | None = Field(
        default=None, description="Frames a second that are due to be looked at, at present"
    )
    governor: GovernorHealth | None = None
    gate: GateHealth | None = Field(
        default=None, description="Absent where every frame is looked at"
    )
    stills: StillHealth | None = Field(
        default=None, description="Absent where the site has not turned stills on"
    )
    requests_dropped: Count = Field(
        default=0, description="Requests on `cmd` since the start that were too many to look at"
    )
    requests: RequestsHealth | None = None
    model: BoxModel | None = Field(default=None, description="What the box looks with")
    update: BoxUpdate | None = Field(
        default=None, description="The box's system; absent where none is ever installed"
    )
    safe_mode: Text | None = Field(
        default=None,
        description="Why the box is in safe mode: it looks at nothing; absent: it is not",
    )
