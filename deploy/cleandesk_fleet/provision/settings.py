"""The settings of provisioning: what `provision.yaml` may say, and what each key means."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseModel):
    """What all settings share: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AuthoritySettings(Settings):
    """Where certificates and keys are."""

    folder: Path = Field(Path("ca"), description="Certificates, issuing keys, revocation lists")
    root_key: Path = Field(
        Path("ca/root.key"),
        description="The root's key: a stick that is there for `ca init` only, then in a safe",
    )
    box_days: int = Field(90, ge=1, le=825, description="A box's certificate holds for so long")
    operator_days: int = Field(
        365, ge=1, le=825, description="A broker's or an operator's holds for so long"
    )


class BrokerSettings(Settings):
    """The broker that boxes connect to, and how it is told of changes."""

    host: str = Field(
        "localhost", min_length=1, description="Name by which boxes and operators reach the broker"
    )
    boxes_port: Port = Field(8883, description="Its listener for boxes")
    people_port: Port = Field(8884, description="Its listener for subscribers and operators")
    admins_host: str = Field("localhost", min_length=1, description="Where administrators connect")
    admins_port: Port = Field(8885, description="Its listener for administrators")
    files: Path = Field(
        Path("/etc/mosquitto/cleandesk"),
        description="Where the broker reads certificates, revocation lists and rules",
    )
    reload: Annotated[list[str], Field(min_length=1)] = Field(
        ["systemctl", "reload", "mosquitto"],
        description="Command that makes the broker read them anew",
    )


class EnrolmentSettings(Settings):
    """The service that boxes enrol and renew with."""

    host: str = Field(
        "localhost", min_length=1, description="Name or address by which boxes reach it"
    )
    port: Port = Field(8443, description="Where it listens")
    listen: str = Field("0.0.0.0", description="Address it listens on")
    longest_s: float = Field(
        20, ge=1, le=600, description="A connection is ended after so long, also a slow one"
    )
    requests_per_minute: int = Field(
        60,
        ge=1,
        le=10_000,
        description="Of one address, and of files' parts of one box; more are told to wait",
    )
    refusals_per_hour: int = Field(
        20, ge=1, le=10_000, description="Of one address; after so many it is told to wait"
    )
    fetches_at_once: int = Field(
        50,
        ge=1,
        le=1000,
        description="So many boxes fetch models or updates; more are told to wait",
    )


class ProvisionSettings(Settings):
    """A whole configuration file."""

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of this file's form")
    state: Path = Field(Path("provision.db"), description="SQLite file with sites, boxes, audit")
    cards: Path = Field(
        Path("cards"), description="Labels and claims of boxes that have not come up yet"
    )
    claim_hours: int = Field(
        168, ge=1, le=2160, description="A box must come up for the first time within so long"
    )
    artefacts: Path = Field(
        Path("artefacts"),
        description="Signed models and updates that boxes may fetch from the service",
    )
    update_keyring: Path = Field(
        Path("updates.pem"),
        description="Certificates that sign for updates: the same that the image was made with",
    )
    authorities: AuthoritySettings = Field(
        default_factory=AuthoritySettings, description="Where certificates and keys are"
    )
    broker: BrokerSettings = Field(
        default_factory=BrokerSettings, description="The broker, and how it is told of changes"
    )
    enrolment: EnrolmentSettings = Field(
        default_factory=EnrolmentSettings, description="The service that boxes enrol with"
    )
