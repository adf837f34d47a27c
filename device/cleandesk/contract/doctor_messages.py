"""What a box says when it is asked what is wrong with it: `cmd/doctor/request` and its answer."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cleandesk.contract.commands import Request, Response
from cleandesk.contract.messages import Text


class DoctorCode(StrEnum):
    """What can be wrong, one for each failure that can be told apart. None changes its meaning.

    `camera_unavailable`: it cannot be opened. `camera_no_frames`: it is open, and none comes.
    `camera_broken`: pictures come that cannot be read. `camera_frozen`: it is the same picture
    again and again. `camera_dark`, `camera_overexposed`: too little or too much light.
    `camera_covered`: something lies on the lens. `camera_out_of_focus`: nothing has an edge.
    `camera_moved`: it sees something else than when it was aimed.

    `model_missing`: manifest or weights cannot be read. `model_hash`: the weights are not those of
    the manifest. `clock_not_synced`: nobody vouches for the time. `disk_full`, `disk_read_only`,
    `disk_failing`: what lies there cannot grow, be written, or be trusted. `too_hot`, `throttled`:
    the processor is about to be slowed down, or is. `safe_mode`: it crashed again and again.

    `identity_missing`: no certificate is set, or it cannot be read. `identity_exposed`: others on
    the machine may read the key. `certificate_wrong_box`: it is another's.
    `certificate_not_yet_valid`, `certificate_expired`, `certificate_expiring`: its dates.

    `broker_unreachable`: nobody answers. `broker_untrusted`: the one who answers is not the broker
    of our authority. `broker_refused`: it does not take this box. `own_topic_denied`: it does not
    let the box write or read what is its own. `other_box_allowed`: it lets it write or read what is
    another's. `no_subscriber`: nobody takes events. `no_ack`: events wait, and no `ack` comes.
    """

    CAMERA_UNAVAILABLE = "camera_unavailable"
    CAMERA_NO_FRAMES = "camera_no_frames"
    CAMERA_BROKEN = "camera_broken"
    CAMERA_FROZEN = "camera_frozen"
    CAMERA_DARK = "camera_dark"
    CAMERA_OVEREXPOSED = "camera_overexposed"
    CAMERA_COVERED = "camera_covered"
    CAMERA_OUT_OF_FOCUS = "camera_out_of_focus"
    CAMERA_MOVED = "camera_moved"
    MODEL_MISSING = "model_missing"
    MODEL_HASH = "model_hash"
    CLOCK_NOT_SYNCED = "clock_not_synced"
    DISK_FULL = "disk_full"
    DISK_READ_ONLY = "disk_read_only"
    DISK_FAILING = "disk_failing"
    TOO_HOT = "too_hot"
    THROTTLED = "throttled"
    SAFE_MODE = "safe_mode"
    IDENTITY_MISSING = "identity_missing"
    IDENTITY_EXPOSED = "identity_exposed"
    CERTIFICATE_WRONG_BOX = "certificate_wrong_box"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    BROKER_UNREACHABLE = "broker_unreachable"
    BROKER_UNTRUSTED = "broker_untrusted"
    BROKER_REFUSED = "broker_refused"
    OWN_TOPIC_DENIED = "own_topic_denied"
    OTHER_BOX_ALLOWED = "other_box_allowed"
    NO_SUBSCRIBER = "no_subscriber"
    NO_ACK = "no_ack"


class CheckResult(StrEnum):
    """What came of looking for one failure.

    `passed`: it is not so. `failed`: it is so. `not_tried`: nobody looked; `said` tells why.
    """

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


class DoctorCheck(BaseModel):
    """One failure that was looked for."""

    model_config = ConfigDict(frozen=True)
    code: Annotated[
        DoctorCode | Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")],
        Field(union_mode="left_to_right", description="Which one; a later version may know more"),
    ]
    result: CheckResult
    said: Text = Field(description="What was found, or why it was not looked for; for people")
    fix: Text | None = Field(default=None, description="Set when, and only when, failed")

    @model_validator(mode="after")
    def _fix_goes_with_failed(self) -> Self:
        if (self.fix is not None) != (self.result is CheckResult.FAILED):
            raise ValueError(f"fix {self.fix!r} does not go with {self.code} {self.result}")
        return self


class DoctorRequest(Request):
    """`cmd/doctor/request`: say what is wrong. Nothing is opened or woken for it."""


class DoctorResponse(Response):
    """`cmd/doctor/response`: in a break, or in safe mode, the camera's checks are `not_tried`."""

    checks: list[DoctorCheck] = Field(
        default_factory=list, max_length=64, description="Each code once, in the order of fixing"
    )
