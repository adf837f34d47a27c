"""Which fetched model runs, which one it takes the place of, and what became of others. Pure."""

from typing import Literal, Self

from pydantic import BaseModel

from cleandesk.contract.artefact import Version
from cleandesk.contract.messages import Count, Digest, Id, Text
from cleandesk.contract.model_messages import ModelState
from cleandesk.durable import READABLE


class _Row(BaseModel):
    model_config = READABLE


class Fetched(_Row):
    """One model that was fetched and unpacked.

    Attributes:
        name: Its own.
        version: Its own.
        artefact: SHA-256 of the file that it came in; its folder is called so.
        manifest: SHA-256 of its manifest, which has those of its weights.
    """

    name: Text
    version: Version
    artefact: Digest
    manifest: Digest


class Trial(_Row):
    """How far a model has come that has not shown yet that it works.

    Attributes:
        boot: The power-on in which a process with it has begun and not ended in order; None: none.
        starts: How many have begun.
    """

    boot: Id | None = None
    starts: Count = 0


class GivenUp(_Row):
    """A model that did not work.

    Attributes:
        noted: Whether the ledger tells of it.
    """

    model: Fetched
    why: Text
    noted: bool = False


class Kept(_Row):
    """What is on the shelf.

    Attributes:
        present: What runs; None: the model that came with the software.
        previous: What ran before, and worked; None: as above.
        trial: None once the present one has shown that it works.
        proven: The newest that ever did: nothing older is fetched.
        given_up: The last one that did not.
    """

    form: Literal[1] = 1
    present: Fetched | None = None
    previous: Fetched | None = None
    trial: Trial | None = None
    proven: Fetched | None = None
    given_up: GivenUp | None = None

    @property
    def state(self) -> ModelState:
        """Where the model that runs comes from, and how well it is known."""
        if self.present is None:
            return ModelState.SHIPPED
        return ModelState.TRIAL if self.trial else ModelState.COMMITTED

    def updated(self, model: Fetched) -> Self:
        """Return the same with another model on trial, and what works to go back to."""
        previous = self.previous if self.trial else self.present
        return self._with(present=model, previous=previous, trial=Trial())

    def committed(self) -> Self:
        """Return the same with a present model that works."""
        return self._with(trial=None, proven=self.present)

    def rolled_back(self) -> Self:
        """Return the same with the model before in the present one's place."""
        return self._with(present=self.previous, previous=None, trial=None)

    def fallen_back(self, why: str) -> Self:
        """Return the same without the present model, which does not work."""
        if self.present is None:
            return self
        given_up = GivenUp(model=self.present, why=why)
        return self._with(given_up=given_up).rolled_back()

    def superseded(self) -> Self:
        """Return the same without fetched models: the software brought a newer one."""
        return self._with(present=None, previous=None, trial=None)

    def begun(self, boot: str) -> Self:
        """Return the same with one more start on trial."""
        starts = self.trial.starts if self.trial else 0
        return self._with(trial=Trial(boot=boot, starts=starts + 1))

    def ended(self) -> Self:
        """Return the same with a start on trial that ended in order, and so counts as none."""
        starts = self.trial.starts if self.trial else 0
        return self._with(trial=Trial(starts=max(0, starts - 1)))

    def noted(self) -> Self:
        """Return the same with a ledger that tells what was given up."""
        if self.given_up is None:
            return self
        return self._with(given_up=self.given_up.model_copy(update={"noted": True}))

    def _with(self, **update: object) -> Self:
        return self.model_copy(update=update)
