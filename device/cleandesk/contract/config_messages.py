"""The configuration over MQTT: `config/desired`, what a site wants, and `config/reported`."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cleandesk.contract.messages import Digest, Message, Text
from cleandesk.settings_remote import RemoteSettings

#: Bytes of a `config/desired` that a box reads: 64 rules and 32 zones take half of it.
MAX_DESIRED = 64 * 1024

Version = Annotated[int, Field(ge=1, lt=2**53)]


class DesiredConfig(Message):
    """`config/desired`, retained: what a site wants a box to look for."""

    model_config = ConfigDict(extra="forbid")

    version: Version = Field(description="Higher with each change")
    config: RemoteSettings = Field(
        description="Parts that replace those of the box's own file; none: the file alone"
    )


class ConfigOutcome(StrEnum):
    """What became of the last `config/desired`.

    `accepted`: it runs. `rejected`: nothing of it was taken over; `problems` says why, all at once.
    `busy`: it is good, and waits, as there were too many within an hour; it is taken over later,
    unless a newer one comes.
    `own`: there is none, and the box's own file runs; `problems` says so if one that was accepted
    is lost.
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    BUSY = "busy"
    OWN = "own"


class ConfigProblem(BaseModel):
    """One thing that is wrong."""

    model_config = ConfigDict(frozen=True)
    key: Annotated[str, Field(max_length=200)] = Field(
        description="Its place, e.g. `rules[0].zone`; empty for the whole"
    )
    reason: Annotated[str, Field(max_length=500)]
    fix: Annotated[str, Field(max_length=1000)]


class ReportedConfig(Message):
    """`config/reported`, retained: what became of `config/desired`, and what runs."""

    outcome: ConfigOutcome
    version: Version | None = Field(default=None, description="Of the `desired` in question")
    sha256: Digest | None = Field(default=None, description="Of its bytes")
    problems: list[ConfigProblem] = Field(default_factory=list, max_length=100)
    running_version: Version | None = Field(
        default=None, description="Of what runs; absent: the box's own file"
    )
    running_sha256: Digest | None = Field(default=None, description="Of the bytes of that")
    break_limits_set: bool = Field(
        default=False, description="`set-break-limits` has changed `breaks` since"
    )
    note: Text | None = Field(default=None, description="For people")
    at: AwareDatetime
    clock_synced: bool
