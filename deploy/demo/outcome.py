"""Compares what the subscriber logged with what really lay on the demo's desk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from demo.scenario import CLEAR_AFTER_S, DWELL_S, FORBIDDEN
from models.scenes.truth import Truth, Visit

#: Entering at K of N looks, and the last looks before an object left, blur both ends so much.
_SLACK_S = 2.0
_MIN_OVERLAP = 0.3


class Logged(BaseModel):
    """One violation as the subscriber's `log --format jsonl` writes it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    violation_id: str
    rule: str
    class_name: Annotated[str, Field(alias="class")]
    zone: str
    severity: str
    score: float
    dwell_s: float
    place: tuple[float, float, float, float]
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a log stands to the truth.

    Attributes:
        matched: Visits with the one violation that each gave.
        missed: Visits that no violation tells of.
        doubled: Violations beyond the first of their visit.
        false: Violations that no visit explains: false accusations.
        unclosed: Violations still open although the desk was empty at the end.
    """

    matched: list[tuple[Visit, Logged]]
    missed: list[Visit]
    doubled: list[Logged]
    false: list[Logged]
    unclosed: list[Logged]

    @property
    def as_expected(self) -> bool:
        """Whether everything that lay there was logged, once each, and nothing else."""
        return not (self.missed or self.doubled or self.false or self.unclosed)


def compare(truth: Truth, logged: Sequence[Logged], starts_at: datetime) -> Outcome:
    """Match violations with visits of what is forbidden, by class, place and time.

    Args:
        truth: The clip's; times in seconds from its start, boxes in pixels.
        logged: From the subscriber's log.
        starts_at: The moment of the clip's first frame.
    """
    matched: list[tuple[Visit, Logged]] = []
    doubled: list[Logged] = []
    false: list[Logged] = []
    taken: set[str] = set()
    for violation in logged:
        visit = next((v for v in truth.visits if _tells_of(violation, v, truth, starts_at)), None)
        if visit is None:
            false.append(violation)
        elif visit.id in taken:
            doubled.append(violation)
        else:
            taken.add(visit.id)
            matched.append((visit, violation))
    return Outcome(
        matched=matched,
        missed=[
            visit
            for visit in truth.visits
            if visit.class_name in FORBIDDEN and visit.id not in taken
        ],
        doubled=doubled,
        false=false,
        unclosed=[violation for violation in logged if violation.closed_at is None],
    )


def _tells_of(violation: Logged, visit: Visit, truth: Truth, starts_at: datetime) -> bool:
    if violation.class_name != visit.class_name:
        return False
    opened = (violation.opened_at - starts_at).total_seconds()
    if not visit.from_s + DWELL_S - _SLACK_S <= opened <= visit.to_s + _SLACK_S:
        return False
    if violation.closed_at is not None:
        closed = (violation.closed_at - starts_at).total_seconds()
        if not visit.to_s - _SLACK_S <= closed <= visit.to_s + CLEAR_AFTER_S + 2 * _SLACK_S:
            return False
    width, height = truth.size
    x1, y1, x2, y2 = visit.box
    return overlap(violation.place, (x1 / width, y1 / height, x2 / width, y2 / height)) > (
        _MIN_OVERLAP
    )


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Return the intersection over union of two boxes x1, y1, x2, y2."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / union if union > 0 else 0.0
