"""The subscriber's settings: what its configuration file may say, and what each key means."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.topics import NAME_PATTERN, Channel, everyones

Site = Annotated[str, Field(pattern=NAME_PATTERN)]
#: What the log is made of; `active` repeats it, `ack` is our own.
CHANNELS = (
    Channel.STATUS,
    Channel.HEALTH,
    Channel.PRIVACY,
    Channel.VIOLATION,
    Channel.APPEAL,
    Channel.IDLE,
    Channel.STILL,
)


class Settings(BaseModel):
    """What all settings share: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BatchSettings(Settings):
    """How many messages share one commit."""

    messages: int = Field(500, ge=1, le=10_000, description="At most so many in one commit")
    wait_ms: float = Field(
        5, ge=0, le=1000, description="After the first message, wait so long for more"
    )


class StoreSettings(Settings):
    """Where the log is kept."""

    path: Path = Field(Path("cleandesk-log.db"), description="SQLite file; relative to this file")
    max_quarantined: int = Field(
        100_000,
        ge=1,
        le=10_000_000,
        description="Unreadable messages kept; the oldest go first, counted",
    )


class StillsSettings(Settings):
    """How long pictures of violations are kept, where a site has turned them on at its boxes."""

    keep_h: float = Field(
        72,
        gt=0,
        le=480,
        description="Then file and row are deleted, which the log shows; 20 days at most",
    )


class SubscriberSettings(Settings):
    """A whole configuration file."""

    schema_version: Literal[1] = Field(1, alias="schema")
    broker: BrokerSettings
    store: StoreSettings = Field(default_factory=StoreSettings)
    stills: StillsSettings = Field(default_factory=StillsSettings)
    client_id: str = Field(
        "cleandesk-subscriber",
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="The broker keeps messages under this name: one subscriber each, never changed",
    )
    session_expiry_s: int = Field(
        604_800, ge=60, le=4_294_967_294, description="How long the broker keeps them for us"
    )
    sites: Annotated[list[Site], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="Sites to log; default: all. After removing one choose a new client_id, since "
        "the broker remembers what was subscribed",
    )
    silent_after_s: float = Field(
        180, ge=5, le=86_400, description="No message of a box for so long: an alarm"
    )
    batch: BatchSettings = Field(default_factory=BatchSettings)

    def subscriptions(self) -> list[str]:
        """Return the topic filters to subscribe to."""
        return [
            everyones(channel, site)
            for site in (self.sites if self.sites is not None else ["+"])
            for channel in CHANNELS
        ]
