"""The box's software: an update asked for by `cmd/update/request`, and told of in `health`."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cleandesk.contract.artefact import ArtefactName
from cleandesk.contract.bundle import MAX_BUNDLE, BundleVersion
from cleandesk.contract.commands import Request, Response
from cleandesk.contract.messages import Digest, Fraction, Text


class UpdateState(StrEnum):
    """How far an update has come.

    `committed`: none is under way, what runs stays. `fetching`: it comes from the service.
    `waiting`: it lies on the box, which is to be as healthy as it gets before. `installing`: the
    slot that does not run is written. `installed`: the start that tries it follows. `trial`: it
    runs, and has to show that the box is as healthy as before; else the box goes back by itself.
    """

    COMMITTED = "committed"
    FETCHING = "fetching"
    WAITING = "waiting"
    INSTALLING = "installing"
    INSTALLED = "installed"
    TRIAL = "trial"


class BoxUpdate(BaseModel):
    """The system that a box runs, and the update that is under way."""

    model_config = ConfigDict(frozen=True)

    version: Text = Field(description="Of the system that runs")
    state: UpdateState
    coming: Text | None = Field(default=None, description="Version of what is under way")
    fetched: Fraction | None = Field(default=None, description="How much of it is on the box")
    given_up: Text | None = Field(
        default=None, description="The last one that was not taken, or left again, and why"
    )
    untried: Text | None = Field(
        default=None,
        description="What runs was committed without a look at this, and why; whether it works "
        "since is told where it always is",
    )


class UpdateRequest(Request):
    """`cmd/update/request`: fetch a signed bundle, and have it installed and tried.

    A box fetches from its enrolment service and from nowhere else.
    """

    artefact: ArtefactName = Field(description="The file's name there")
    version: BundleVersion = Field(description="Must be newer than what runs")
    sha256: Digest = Field(description="Of the file")
    size: Annotated[int, Field(ge=1, le=MAX_BUNDLE)] = Field(description="Of the file, bytes")
    again: bool = Field(default=False, description="Take it even if it was tried and left before")


class UpdateResponse(Response):
    """`cmd/update/response`: `done` once the bundle is whole on the box, and handed to its updater.

    What becomes of it then is told in `health`.
    """

    update: BoxUpdate | None = Field(default=None, description="How it stands then")
