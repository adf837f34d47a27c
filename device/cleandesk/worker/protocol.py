"""What the worker's page and the box say to each other over a Unix socket.

One JSON object a line, UTF-8. The page asks, the box answers each request once and in order; after
`Watch` it goes on with a `Drawing` for each look until the connection ends. The page holds no MQTT
key and gets no frame, but in the aiming view that the worker starts by hand.
"""

import base64
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from cleandesk.contract.doctor_messages import DoctorCheck
from cleandesk.contract.messages import (
    BreakReason,
    Count,
    Fraction,
    Id,
    Phase,
    Privacy,
    Seconds,
    Severity,
    Text,
)
from cleandesk.contract.worker_messages import AppealReason

#: The longest line that either side takes, bytes: an aiming picture in base64 fits.
MAX_LINE = 1 << 20
#: The most ledger entries in one answer.
MAX_ENTRIES = 200

Point = tuple[Fraction, Fraction]


class Line(BaseModel):
    """What all lines share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GetState(Line):
    """Ask what the box does now; answered by `State`."""

    ask: Literal["state"] = "state"


class StartBreak(Line):
    """Take a break; answered by `State`. It is never refused."""

    ask: Literal["start_break"] = "start_break"
    reason: BreakReason


class EndBreak(Line):
    """End the break; answered by `State`."""

    ask: Literal["end_break"] = "end_break"


class Object(Line):
    """Object to a violation; answered by `Done`, or `Failed` if there is no such violation."""

    ask: Literal["object"] = "object"
    violation_id: Id
    reason: AppealReason
    note: Annotated[str, Field(max_length=500)] | None = None


class TellIdle(Line):
    """Hand on the age of the last input at the worker's computer; answered by `Done`."""

    ask: Literal["tell_idle"] = "tell_idle"
    input_age_s: Seconds


class GetLedger(Line):
    """Ask for entries of the ledger, the newest first; answered by `Ledger`.

    It may hold fewer than asked for, as pictures take room: ask for those before the last one.
    """

    ask: Literal["ledger"] = "ledger"
    before: Count | None = Field(default=None, description="Only entries below this number")
    limit: Annotated[int, Field(ge=1, le=MAX_ENTRIES)] = 50


class GetStatement(Line):
    """Ask what is sensed, sent and kept by the running configuration; answered by `Statement`."""

    ask: Literal["statement"] = "statement"


class Watch(Line):
    """Ask to be told of looks, without a picture; answered by `Drawing` again and again.

    At most five a second, the newest one each time. Nothing else is answered on this connection.
    """

    ask: Literal["watch"] = "watch"


class Aim(Line):
    """Ask for one picture of the aiming view; answered by `Picture`, or `Failed`.

    The first one starts the view, which the ledger says; it ends by itself after five minutes, or
    by `StopAiming`. After it ended by itself, asking on is answered by `Failed` (`off`), and does
    not start it again: nobody asks for ten seconds first.
    """

    ask: Literal["aim"] = "aim"


class StopAiming(Line):
    """End the aiming view; answered by `Done`."""

    ask: Literal["stop_aiming"] = "stop_aiming"


class Note(Line):
    """Enter something that the page did into the ledger, e.g. a new PIN; answered by `Done`."""

    ask: Literal["note"] = "note"
    kind: Literal["paired", "pin_changed", "pin_reset", "companion_allowed", "companion_revoked"]


class Examine(Line):
    """Ask what is wrong with the box; answered by `Examined`.

    Attributes:
        aimed: The camera is aimed right now: remember its aim, to tell later whether it was moved.
    """

    ask: Literal["examine"] = "examine"
    aimed: bool = False


Request = Annotated[
    GetState
    | StartBreak
    | EndBreak
    | Object
    | TellIdle
    | GetLedger
    | GetStatement
    | Watch
    | Aim
    | StopAiming
    | Note
    | Examine,
    Field(discriminator="ask"),
]


class Limits(Line):
    """A site's limits on breaks; None is no limit. Going beyond is reported, never refused."""

    length_s: Seconds | None = None
    count_per_day: Count | None = None


class Shown(Line):
    """A violation, as the worker sees it."""

    violation_id: Id
    rule: Text
    class_name: Text
    zone: Text
    severity: Severity
    phase: Phase
    opened_at: AwareDatetime
    suspended: bool = False
    objected: AppealReason | None = None


class State(Line):
    """What the box does now.

    Attributes:
        privacy: What was published last; of a break that has just begun, what will be.
        sensing: Whether frames may be acquired; in a break, only until the camera has let go.
        breaks_today: How many began since midnight, the present one included.
        spot_check: Somebody's spot check is running.
        aiming_until: When the aiming view ends, if it is on.
        pin_resets: How often the button has reset the page's PIN, ever.
        violations: The latest ones, the newest first; those of 24 hours at most.
        safe_mode: Why the box is in safe mode: it looks at nothing; None: it is not.
    """

    kind: Literal["state"] = "state"
    privacy: Privacy
    sensing: bool
    connected: bool
    limits: Limits
    breaks_today: Count
    spot_check: bool = False
    last_spot_check_at: AwareDatetime | None = None
    aiming_until: AwareDatetime | None = None
    idle_on: bool = Field(default=False, description="The site asks for the idle marker")
    idle: bool = False
    pin_resets: Count = 0
    violations: Annotated[list[Shown], Field(max_length=50)] = Field(default_factory=list)
    safe_mode: Text | None = None


class Entry(Line):
    """One entry of the ledger, word for word.

    Attributes:
        kind: The message's channel, or `note` for what happened here and was not sent.
        payload: What was sent, as text; of what is sealed, only what it is.
        picture: What was sent, if it is a JPEG, in base64; then `payload` is empty.
        chain: SHA-256 over this entry and all before it, hexadecimal.
        sent_at: When the broker took it; None: not yet, or never meant to be.
        answered: What the subscriber said of it.
    """

    number: Count
    at: AwareDatetime
    kind: Text
    topic: str
    message_id: Text
    payload: str
    picture: str | None = None
    chain: str
    sent_at: AwareDatetime | None = None
    answered: Text | None = None


class Ledger(Line):
    """Entries of the ledger, the newest first."""

    kind: Literal["ledger"] = "ledger"
    entries: list[Entry]
    total: Count = Field(description="Entries that are kept, before any narrowing")
    whole: bool | None = Field(
        default=None,
        description="Whether the chain of all kept entries fits; default: not all is checked yet",
    )
    checked_to: Count = Field(default=0, description="The newest entry that was checked and fits")


class Fact(Line):
    """One line of the statement: a key of the text files, and what fills its placeholders."""

    text: Text
    values: dict[str, str] = Field(default_factory=dict)


class Statement(Line):
    """What is sensed, sent and kept, by section; each section's title is a key, too."""

    kind: Literal["statement"] = "statement"
    sections: dict[str, list[Fact]]


class Box(Line):
    """One thing that a look saw.

    Attributes:
        place: x1, y1, x2, y2 as fractions of the picture.
        believed: It reached a rule's score.
    """

    class_name: Text
    score: Fraction
    place: tuple[Fraction, Fraction, Fraction, Fraction]
    believed: bool


class Drawing(Line):
    """One look, without its picture.

    Attributes:
        aspect: Width of the picture over its height.
        area: What is not blanked; None is all.
    """

    kind: Literal["drawing"] = "drawing"
    at: AwareDatetime
    aspect: Annotated[float, Field(gt=0)]
    area: list[Point] | None = None
    zones: dict[str, list[Point]]
    boxes: Annotated[list[Box], Field(max_length=100)]


class Picture(Line):
    """One picture of the aiming view."""

    kind: Literal["picture"] = "picture"
    jpeg: str = Field(description="Base64")
    until: AwareDatetime = Field(description="When the view ends by itself")

    @classmethod
    def of(cls, jpeg: bytes, until: AwareDatetime) -> "Picture":
        """Return the line that carries an encoded picture."""
        return cls(jpeg=base64.b64encode(jpeg).decode(), until=until)


class Examined(Line):
    """What was looked for, each with what came of it."""

    kind: Literal["examined"] = "examined"
    checks: list[DoctorCheck]


class Done(Line):
    """It was done."""

    kind: Literal["done"] = "done"


class Failed(Line):
    """It was not done; nothing has changed.

    Attributes:
        reason: A code that the page has a text for.
        detail: For the log.
    """

    kind: Literal["failed"] = "failed"
    reason: Literal["invalid", "unknown_violation", "no_frame", "off", "on_break", "busy"]
    detail: Text = ""


Answer = Annotated[
    State | Ledger | Statement | Drawing | Picture | Examined | Done | Failed,
    Field(discriminator="kind"),
]

REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)


def encode(line: Line) -> bytes:
    """Return one line, with its end."""
    return line.model_dump_json(exclude_none=True).encode() + b"\n"
