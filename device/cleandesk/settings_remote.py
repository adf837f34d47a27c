"""The part of the settings that a site may set from afar, by `config/desired`.

It says what is looked for and how often. What a box is, whom it talks to, which files and pins it
uses, and the worker's page are for who stands before it.
"""

from typing import Annotated, Literal

from pydantic import Field

from cleandesk.contract.messages import Fraction
from cleandesk.settings import BoxSettings, Rule, Zone
from cleandesk.settings_base import Duration, Name, Settings
from cleandesk.settings_worker import BreakSettings, IdleSettings, SpotCheckSettings


class RemoteStillSettings(Settings):
    """`stills`, without the certificate: that is a file of the box."""

    enabled: bool = Field(False, description="As in the box's file")
    delay_s: Duration = Field(60, description="As in the box's file")
    margin: float = Field(0.5, ge=0, le=2, description="As in the box's file")
    longest_side: int = Field(320, ge=64, le=1280, description="As in the box's file")
    person_score: Fraction = Field(0.01, gt=0, description="As in the box's file")


class RemoteSettings(Settings):
    """Each part that is named replaces the one of the box's own file as a whole."""

    looks_per_s: float | None = Field(
        None, gt=0, le=60, description="How often the desk is looked at"
    )
    gate: Literal["on", "off"] | None = Field(
        None, description="Look less often while nothing changes, as far as the rules allow"
    )
    area: Zone | None = Field(None, description="Pixels outside are blanked")
    zones: Annotated[dict[Name, Zone], Field(min_length=1, max_length=32)] | None = Field(
        None, description="Named parts of the picture, for the rules"
    )
    rules: Annotated[list[Rule], Field(min_length=1, max_length=64)] | None = Field(
        None, description="What must not be seen, where, and for how long"
    )
    stills: RemoteStillSettings | None = Field(None, description="Redacted pictures")
    health_every_s: float | None = Field(
        None, ge=1, le=3600, description="How often health is published"
    )
    breaks: BreakSettings | None = Field(None, description="Limits on the worker's breaks")
    idle: IdleSettings | None = Field(None, description="The idle marker")
    spot_checks: SpotCheckSettings | None = Field(None, description="Looks that somebody asks for")

    def over(self, own: BoxSettings) -> dict[str, object]:
        """Return a box's own settings with these in their place; not validated yet."""
        data = {
            info.alias or name: getattr(own, name)
            for name, info in BoxSettings.model_fields.items()
        }
        named = {name: getattr(self, name) for name in type(self).model_fields}
        data |= {name: part for name, part in named.items() if part is not None}
        if self.stills is not None:
            data["stills"] = own.stills.model_copy(update=self.stills.model_dump())
        return data
