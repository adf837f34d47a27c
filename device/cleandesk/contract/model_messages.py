"""The model that a box looks with: asked for by `cmd/model/request`, told in `health`."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cleandesk.contract.artefact import MAX_ARTEFACT, ArtefactName, Digest, Version
from cleandesk.contract.commands import Request, Response
from cleandesk.contract.messages import Text


class ModelState(StrEnum):
    """Where a box has its model from, and how well that is known.

    `shipped`: it came with the software. `own`: the box's own settings name it. `trial`: it was
    fetched, and has to show that it works; else the box goes back by itself. `committed`: it has.
    """

    SHIPPED = "shipped"
    OWN = "own"
    TRIAL = "trial"
    COMMITTED = "committed"


class BoxModel(BaseModel):
    """The model that a box looks with."""

    model_config = ConfigDict(frozen=True)

    name: Text
    version: Text
    sha256: Digest = Field(description="Of its weights, in fp32")
    artefact: Digest | None = Field(default=None, description="Of the file that was fetched")
    state: ModelState
    given_up: Text | None = Field(
        default=None, description="The last one that was fetched and did not work, and why"
    )


class ModelRequest(Request):
    """`cmd/model/request`: fetch a model and look with it, or go back to the one before.

    A box fetches from its enrolment service and from nowhere else.
    """

    artefact: ArtefactName | None = Field(default=None, description="The file's name there")
    version: Version | None = Field(default=None, description="Must be newer than what was proven")
    sha256: Digest | None = Field(default=None, description="Of the file")
    size: Annotated[int, Field(ge=1, le=MAX_ARTEFACT)] | None = Field(
        default=None, description="Of the file, bytes"
    )
    rollback: bool = Field(default=False, description="Go back to the model before; no file then")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        named = [one is not None for one in (self.artefact, self.version, self.sha256, self.size)]
        if not (any(named) is False if self.rollback else all(named)):
            raise ValueError("name artefact, version, sha256 and size, or rollback alone")
        return self


class ModelResponse(Response):
    """`cmd/model/response`: `done` once the model is kept; the box then begins anew with it."""

    model: BoxModel | None = Field(default=None, description="What the box looks with then")
