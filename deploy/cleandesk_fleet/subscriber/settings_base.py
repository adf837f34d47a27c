"""What all parts of the subscriber's settings share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cleandesk.contract.topics import NAME_PATTERN

Site = Annotated[str, Field(pattern=NAME_PATTERN)]


class Settings(BaseModel):
    """What all settings share: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
