"""The subscriber's settings: what its configuration file may say, and what each key means."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.topics import Channel, everyones
from cleandesk_fleet.subscriber.database import Deletion, Place, place_of
from cleandesk_fleet.subscriber.metrics.settings import MetricsSettings
from cleandesk_fleet.subscriber.notices.settings import NoticesSettings
from cleandesk_fleet.subscriber.pictures import folder_of
from cleandesk_fleet.subscriber.settings_base import Settings, Site

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
#: Those that a box sends again until it has an answer.
ANSWERED = frozenset({Channel.VIOLATION, Channel.APPEAL, Channel.STILL})


class BatchSettings(Settings):
    """How many messages share one commit."""

    messages: int = Field(2000, ge=1, le=10_000, description="At most so many in one commit")
    wait_ms: float = Field(
        20, ge=0, le=1000, description="After the first message, wait so long for more"
    )


class StoreSettings(Settings):
    """Where the log is kept."""

    path: Path = Field(Path("cleandesk-log.db"), description="SQLite file; relative to this file")
    url: str | None = Field(
        None,
        description="PostgreSQL instead of a file: postgresql://user@host:5432/name; the password "
        "stands in a file of its own (?passfile=…)",
    )
    keep_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="Then events, violations, appeals, notices, unreadable messages, reported "
        "losses, proofs of deleted stills and alarms that are over are deleted, which `deletions` "
        "proves; default: never",
    )
    max_quarantined: int = Field(
        100_000,
        ge=1,
        le=10_000_000,
        description="Unreadable messages kept; the oldest go first, counted",
    )

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        if url is not None and isinstance(place_of(url), Path):
            raise ValueError("write postgresql://user@host/name; a file belongs to 'path'")
        return url

    @property
    def place(self) -> Place:
        """Where the log is."""
        return self.path if self.url is None else place_of(self.url)


class StillsSettings(Settings):
    """How long pictures of violations are kept, where a site has turned them on at its boxes."""

    keep_h: float = Field(
        72,
        gt=0,
        le=480,
        description="Then file and row are deleted, which the log shows; 20 days at most, and not "
        "longer than 'store.keep_days'",
    )
    of_a_box: int = Field(
        2000,
        ge=1,
        le=100_000,
        description="Pictures of one box that are kept at once; those beyond are turned away, with "
        "an alarm, so that no box fills the disk",
    )
    folder: Path | None = Field(
        None,
        description="Where the pictures lie; default: beside 'store.path', with .stills added. "
        "Several subscribers of one log share it; where they do not name it, they take no stills",
    )


class RedundancySettings(Settings):
    """Several subscribers share the boxes' messages, and one log in PostgreSQL."""

    group: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]{16,64}$",
        description="Name of the MQTT 5 shared subscription: the same for all of them, and secret, "
        "as a box that knew it could take a share of the messages away (openssl rand -hex 16). "
        "Without it each of them hears everything, and the first one to log an event answers for "
        "it: for RabbitMQ, which grants a shared subscription and delivers nothing",
    )
    gap_after_s: float = Field(
        60,
        ge=1,
        le=3600,
        description="An event that another one may be about to commit is missing after so long",
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
        604_800,
        ge=60,
        le=4_294_967_294,
        description="How long the broker keeps them for us; with 'redundancy.group' not at all, "
        "since it would go on giving a share to one that is gone",
    )
    sites: Annotated[list[Site], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="Sites to log; default: all. After removing one choose a new client_id, since "
        "the broker remembers what was subscribed",
    )
    silent_after_s: float = Field(
        180, ge=5, le=86_400, description="No message of a box for so long: an alarm"
    )
    redundancy: RedundancySettings | None = Field(
        None, description="Needs 'store.url', and a client_id of its own for each subscriber"
    )
    batch: BatchSettings = Field(default_factory=BatchSettings)
    metrics: MetricsSettings | None = Field(
        None, description="Figures for Prometheus on a port of this machine; default: none"
    )
    notices: NoticesSettings | None = Field(
        None, description="Telling people of severe violations; default: nobody is told"
    )

    @model_validator(mode="after")
    def _redundant_on_postgresql(self) -> Self:
        if self.redundancy is not None and self.store.url is None:
            raise ValueError("'redundancy' needs a log in PostgreSQL: set 'store.url'")
        return self

    @property
    def stills_folder(self) -> Path:
        """Where pictures lie."""
        return self.stills.folder or folder_of(self.store.path)

    @property
    def deletion(self) -> Deletion:
        """What decides about deletion, by key; the same for all who write one log."""
        return {
            "store.keep_days": self.store.keep_days,
            "store.max_quarantined": self.store.max_quarantined,
            "stills.keep_h": self.stills.keep_h,
        }

    @property
    def group(self) -> str | None:
        """Name of the shared subscription, where there is one."""
        return None if self.redundancy is None else self.redundancy.group

    def subscriptions(self) -> list[str]:
        """Return the topic filters to subscribe to.

        Of a group of subscribers one gets each event. All of them hear what boxes say about
        themselves: whoever judges their silence must be able to do so from one moment to the next.
        """
        shared = f"$share/{self.group}/" if self.group else ""
        return [
            (shared if channel in ANSWERED else "") + everyones(channel, site)
            for site in (self.sites if self.sites is not None else ["+"])
            for channel in CHANNELS
        ]
