"""The settings of `cleandesk-discovery`: what its file may say, and what each key means."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.topics import NAME_PATTERN, Channel, everyones
from cleandesk_fleet.discovery.topics import ROOT

Site = Annotated[str, Field(pattern=NAME_PATTERN)]


class DiscoverySettings(BaseModel):
    """A whole configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    broker: BrokerSettings
    client_id: str = Field(
        "cleandesk-discovery",
        pattern=r"^[a-z0-9-]{1,64}$",
        description="Marks what is ours: one process each, never changed but after `remove`",
    )
    sites: Annotated[list[Site], Field(min_length=1, max_length=100)] | None = Field(
        None, description="Sites whose boxes are announced; default: all"
    )

    def subscriptions(self) -> list[str]:
        """Return the topic filters to subscribe to."""
        sites = self.sites if self.sites is not None else ["+"]
        channels = (Channel.STATUS, Channel.ACTIVE)
        ours = [everyones(channel, site) for site in sites for channel in channels]
        return [*ours, f"{ROOT}/+/config", f"{ROOT}/{self.client_id}/state"]
