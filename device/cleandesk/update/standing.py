"""How an update stands, by what the updater told, what lies there, and what runs. Pure."""

from dataclasses import dataclass

from cleandesk.contract.update_messages import BoxUpdate, UpdateState
from cleandesk.update.told import Step, Told

_LONGEST = 200
_UNTRIED = "camera: a break went on while the update was on trial"
#: What the updater is at, as long as the power-on lasts in which it said so.
_AT_WORK = {
    Step.WAITING: UpdateState.WAITING,
    Step.INSTALLING: UpdateState.INSTALLING,
    Step.INSTALLED: UpdateState.INSTALLED,
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A bundle that is being fetched.

    Attributes:
        version: Its own, as whoever asked says.
        share: How much of it is there, 0 to 1.
    """

    version: str
    share: float


@dataclass(frozen=True, slots=True)
class Here:
    """What the box sees.

    Attributes:
        runs: The version that runs.
        boot: The present power-on.
        trial: What runs is not committed.
        handed: A bundle lies there for the updater.
        sent: Version of the last bundle that was handed over, if one was.
        fetched: What is being fetched.
        refused: What the box itself did not take, and why; newer than any word of the updater.
    """

    runs: str
    boot: str
    trial: bool
    handed: bool = False
    sent: str | None = None
    fetched: Fetched | None = None
    refused: str | None = None


def stands(here: Here, told: Told | None) -> BoxUpdate:
    """Return what a box tells of its update."""
    lost = None if told is None else told.by(here.runs, here.boot, trial=here.trial).lost
    given_up = here.refused or (None if lost is None else str(lost))
    state, coming = _state(here, told)
    committed = told is not None and (told.step, told.version) == (Step.COMMITTED, here.runs)
    untried = told is not None and committed and told.untried
    return BoxUpdate(
        version=here.runs,
        state=state,
        coming=coming,
        fetched=None if here.fetched is None else round(here.fetched.share, 3),
        given_up=None if given_up is None else given_up[:_LONGEST],
        untried=_UNTRIED if untried else None,
    )


def _state(here: Here, told: Told | None) -> tuple[UpdateState, str | None]:
    if here.fetched is not None:
        return UpdateState.FETCHING, here.fetched.version
    if here.trial:
        return UpdateState.TRIAL, None
    if told is not None and told.boot == here.boot and told.step in _AT_WORK:
        return _AT_WORK[told.step], told.version
    if here.handed:
        return UpdateState.WAITING, here.sent
    return UpdateState.COMMITTED, None
