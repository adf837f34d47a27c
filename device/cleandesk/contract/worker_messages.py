"""What the worker says through the box: an objection to a violation, and the opt-in idle marker."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from cleandesk.contract.messages import Id, Message, Seconds


class AppealReason(StrEnum):
    """What is wrong with a violation, in the worker's eyes."""

    NOT_MINE = "not_mine"
    WRONG = "wrong"


class Appeal(Message):
    """`appeal`: the worker objects to a violation. People decide about it, later and elsewhere."""

    appeal_id: Id
    violation_id: Id
    reason: AppealReason
    note: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="The worker's own words, if any"
    )
    at: AwareDatetime
    clock_synced: bool


class Idle(Message):
    """`idle`: nobody at the desk and no input at the computer, or the end of that.

    Sent only where the site turned it on *and* the worker runs the companion, which tells the age
    of the last input and nothing else.
    """

    idle: bool
    since: AwareDatetime = Field(description="When the worker left, or came back")
    input_age_s: Seconds | None = Field(
        default=None, description="Age of the last input, as the companion last said"
    )
    at: AwareDatetime
    clock_synced: bool
