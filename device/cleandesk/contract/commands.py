"""Requests to a box and its answers: `cmd/<name>/request` and `cmd/<name>/response`.

A request names its response topic and carries correlation data (MQTT 5). The same correlation data
twice is the same request: it is done once, and answered with the same bytes each time.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cleandesk.contract.messages import (
    BreakReason,
    Count,
    Fraction,
    Id,
    Message,
    Privacy,
    Seconds,
    Status,
    Text,
)
from cleandesk.settings_worker import BreakSettings

#: Bytes of correlation data that a box takes.
MAX_CORRELATION = 64


#: A certificate's serial number, in hexadecimal.
Serial = Annotated[str, Field(pattern=r"^[0-9a-f]{1,40}$")]


class Outcome(StrEnum):
    """What became of a request.

    `done`: it was. `on_break`: the worker has a break, and nothing was woken. `off`: the camera is
    off or at fault. `busy`: too many requests of this kind, or one like it is at work; ask again
    later, as a new request. `failed`: it was tried, and nothing has changed; `detail` says why.
    `expired`: it came after `expires_at`. `invalid`: it is not a request; `detail` says why.
    """

    DONE = "done"
    ON_BREAK = "on_break"
    OFF = "off"
    BUSY = "busy"
    FAILED = "failed"
    EXPIRED = "expired"
    INVALID = "invalid"


class Request(Message):
    """What all requests share."""

    expires_at: AwareDatetime | None = Field(
        default=None, description="Not to be done after that; default: as long as MQTT keeps it"
    )


class BreakRequest(Request):
    """`cmd/break/request`: start a break for the worker. None can be ended this way."""

    reason: BreakReason


class SpotCheckRequest(Request):
    """`cmd/spot-check/request`: look at the desk now, for a while, and say what is there."""

    look_s: Annotated[float, Field(gt=0, le=60)] = 10.0


class Response(Message):
    """What all answers share."""

    outcome: Outcome
    detail: Text | None = Field(default=None, description="Why, for people")
    at: AwareDatetime
    clock_synced: bool


class BreakResponse(Response):
    """`cmd/break/response`."""

    since: AwareDatetime | None = Field(default=None, description="When the break began")


class Finding(BaseModel):
    """One thing that a spot check saw at least once."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)
    class_name: Text = Field(alias="class")
    score: Fraction = Field(description="The best of all looks")
    place: tuple[Fraction, Fraction, Fraction, Fraction] = Field(
        description="Where, at that score: x1, y1, x2, y2 as fractions of the picture"
    )
    looks: Count = Field(description="In how many of the looks it was believed")


class Verdict(BaseModel):
    """What one rule says after a spot check."""

    model_config = ConfigDict(frozen=True)
    rule: Text
    violated: bool = Field(description="A violation of this rule is open at the end")
    violation_id: Id | None = None


class SpotCheckResponse(Response):
    """`cmd/spot-check/response`."""

    looked_s: Seconds | None = None
    looks: Count | None = None
    findings: list[Finding] = Field(default_factory=list, max_length=64)
    verdicts: list[Verdict] = Field(default_factory=list, max_length=64)


class StateRequest(Request):
    """`cmd/state/request`: say how it stands, and publish all retained topics anew."""


class StateResponse(Response):
    """`cmd/state/response`."""

    status: Status | None = None
    privacy: Privacy | None = None
    violations: list[Id] = Field(
        default_factory=list, max_length=256, description="Those that are open; see `active`"
    )


class RestartRequest(Request):
    """`cmd/restart/request`: end in order, and begin anew; it also leads out of safe mode."""


class RestartResponse(Response):
    """`cmd/restart/response`: sent before the end."""


class SetBreakLimitsRequest(Request):
    """`cmd/set-break-limits/request`: change `breaks` of the configuration, at once."""

    limits: BreakSettings


class BreakLimits(BreakSettings):
    """Limits on breaks, as a box tells them; a later version may tell more."""

    model_config = ConfigDict(extra="ignore")


class SetBreakLimitsResponse(Response):
    """`cmd/set-break-limits/response`."""

    limits: BreakLimits | None = Field(default=None, description="Those that count now")


class RotateKeyRequest(Request):
    """`cmd/rotate-key/request`: make a new key, have it signed for, and connect with it."""


class RotateKeyResponse(Response):
    """`cmd/rotate-key/response`: sent over the connection that was made with the new key.

    Asked again after a power cut, or by itself, a box goes on with the key that it had begun with.
    """

    serial: Serial | None = Field(default=None, description="Of the new certificate")
    ends_at: AwareDatetime | None = Field(default=None, description="When that one ends")
