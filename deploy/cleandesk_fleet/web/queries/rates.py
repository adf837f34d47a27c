"""False alarms: of the violations that ended, how many people found to be wrong."""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from cleandesk.contract.messages import Phase
from cleandesk_fleet.subscriber.tables import appeals, events
from cleandesk_fleet.web.queries.appeals import Outcome
from cleandesk_fleet.web.tables import decisions

_Z = 1.959964  # 95 %, two-sided


@dataclass(frozen=True, slots=True)
class Rate:
    """What became of the violations of one class that one model saw, in a span of time.

    Attributes:
        model: The model's sha256.
        closed: Violations that ended.
        appealed: Those of them that workers objected to.
        undecided: Those of these that nobody has decided about.
        upheld: Those where the worker was right.
    """

    class_name: str
    model: str
    closed: int
    appealed: int
    undecided: int
    upheld: int

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares the rate of false alarms lies, with 95 % confidence."""
        return wilson(self.upheld, self.closed)


def wilson(found: int, of: int) -> tuple[float, float]:
    """Return the Wilson score interval of a share (E. B. Wilson, 1927; 95 %).

    It holds for small counts, too, where a bare share misleads.

    >>> [round(bound, 3) for bound in wilson(0, 10)]
    [0.0, 0.278]
    """
    if of == 0:
        return 0.0, 1.0
    share, square = found / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    low = 0.0 if found == 0 else max(0.0, middle - half)
    high = 1.0 if found == of else min(1.0, middle + half)
    return low, high


def read(connection: Connection, since: datetime, until: datetime) -> list[Rate]:
    """Return the rates of a span: by class, and the model with the most of it first."""
    span = (events.c.phase == Phase.CLOSE.value, events.c.at >= since, events.c.at < until)
    key = (events.c["class"], events.c.model)
    closed = connection.execute(select(*key, func.count()).where(*span).group_by(*key)).all()
    appealed, undecided, upheld = _appeals(connection, since, until)
    rates = [
        Rate(name, model, count, *(each[name, model] for each in (appealed, undecided, upheld)))
        for name, model, count in closed
    ]
    return sorted(rates, key=lambda rate: (rate.class_name, -rate.closed, rate.model))


def _appeals(
    connection: Connection, since: datetime, until: datetime
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Count the violations of a span that were appealed, that wait, and that were wrong."""
    newest = (
        select(decisions.c.outcome)
        .where(decisions.c.appeal_id == appeals.c.appeal_id)
        .order_by(decisions.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    same = appeals.c.site == events.c.site
    same &= (appeals.c.box == events.c.box) & (appeals.c.violation_id == events.c.violation_id)
    statement = (
        select(events.c["class"], events.c.model, events.c.event_id, newest.label("outcome"))
        .join(appeals, same)
        .where(events.c.phase == Phase.CLOSE.value, events.c.at >= since, events.c.at < until)
    )
    outcomes: dict[tuple[str, str, str], set[str | None]] = {}
    for name, model, event_id, outcome in connection.execute(statement):
        outcomes.setdefault((name, model, event_id), set()).add(outcome)
    upheld = Counter(key[:2] for key, said in outcomes.items() if Outcome.UPHELD.value in said)
    undecided = Counter(
        key[:2]
        for key, said in outcomes.items()
        if None in said and Outcome.UPHELD.value not in said
    )
    return Counter(key[:2] for key in outcomes), undecided, upheld
