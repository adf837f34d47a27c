"""Which boxes an update goes to, a share of them first, and what became of it there. Pure."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cleandesk.contract.commands import Outcome
from cleandesk.contract.topics import Address
from cleandesk.contract.update_messages import BoxUpdate, UpdateResponse
from cleandesk_fleet.provision.crowd import Asked
from cleandesk_fleet.provision.errors import UsageError
from cleandesk_fleet.provision.glancing import Known

_SHARE = re.compile(r"(?P<percent>\d{1,3}(\.\d{1,2})?)%|(?P<count>\d{1,6})")
_WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the boxes: a number, or a part of 100."""

    count: int | None = None
    percent: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Read `5%` or `20`.

        Raises:
            UsageError: If it is neither, or nobody.
        """
        found = _SHARE.fullmatch(text)
        percent = float(found["percent"]) if found and found["percent"] else None
        count = int(found["count"]) if found and found["count"] else None
        if not (percent or count) or (percent or 0) > _WHOLE:
            raise UsageError(f"--share {text}: write a part such as 5%, or a number of boxes")
        return cls(count, percent)

    def of(self, boxes: int) -> int:
        """Return how many that is; of any box there is one at least."""
        if self.percent is not None:
            return min(boxes, math.ceil(boxes * self.percent / _WHOLE))
        return min(boxes, self.count or 0)


def choose(addresses: Sequence[Address], sha256: str, share: Share | None) -> list[Address]:
    """Return the boxes that an update goes to.

    The order is one for each bundle, and as good as drawn by lot: a larger share has all that a
    smaller one had, and no site is always the first.

    Args:
        addresses: All that are meant.
        sha256: Of the bundle.
        share: How many of them; None: all.
    """
    if share is None:
        return sorted(addresses, key=str)
    drawn = sorted(
        addresses, key=lambda one: hashlib.sha256(f"{sha256} {one}".encode()).hexdigest()
    )
    return sorted(drawn[: share.of(len(drawn))], key=str)


class Result(StrEnum):
    """What became of asking one box.

    `taken`: it has the bundle, whole. `runs`: it runs already. `asked`: it has the request.
    `offline`: it is not on the line. `busy`: it is at one; ask again later. `refused`: it said no.
    """

    TAKEN = "taken"
    RUNS = "runs"
    ASKED = "asked"
    OFFLINE = "offline"
    BUSY = "busy"
    REFUSED = "refused"


def result_of(one: Asked[UpdateResponse], version: str) -> Result:
    """Say what became of asking a box for a version."""
    answer = one.answer
    if answer is None:
        if one.unreadable:
            return Result.REFUSED
        return Result.OFFLINE if not one.here else Result.ASKED
    match answer.outcome:
        case Outcome.DONE:
            runs = answer.update is not None and answer.update.version == version
            return Result.RUNS if runs else Result.TAKEN
        case Outcome.BUSY:
            return Result.BUSY
        case _:
            return Result.REFUSED


def row_of(one: Asked[UpdateResponse], version: str) -> Mapping[str, object]:
    """Return a box's line of the table of who took it."""
    answer, detail = one.answer, None
    if answer is not None:
        detail = answer.detail
    elif one.unreadable:
        detail = "it answered what is no answer: bring both to the same version"
    facts = _facts(None if answer is None else answer.update)
    return {"box": str(one.address), "result": result_of(one, version).value, **facts} | {
        "detail": detail
    }


def standing_of(known: Known) -> Mapping[str, object]:
    """Return a box's line of the table of who runs what."""
    status, health = known.status, known.health
    return {
        "box": str(known.address),
        "connection": None if status is None else status.state.value,
        **_facts(None if health is None else health.update),
        "said_at": None if health is None else health.at,
    }


def _facts(update: BoxUpdate | None) -> dict[str, object]:
    if update is None:
        return dict.fromkeys(("runs", "state", "coming", "given_up", "untried"))
    state = update.state.value
    if update.fetched is not None:
        state = f"{state} {update.fetched:.0%}"
    return {
        "runs": update.version,
        "state": state,
        "coming": update.coming,
        "given_up": update.given_up,
        "untried": update.untried,
    }
