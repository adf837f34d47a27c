"""Appeals, with what was decided about them, and deciding."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, ScalarSelect, exists, select

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.tables import appeals, violations
from cleandesk_fleet.web.errors import NotFoundError, WrongInputError
from cleandesk_fleet.web.queries.paging import Page, cut, decode
from cleandesk_fleet.web.tables import decisions

Row = dict[str, Any]

SHOWN = 50
LONGEST_NOTE = 1000
_SAME = ("site", "box", "violation_id")


class Outcome(StrEnum):
    """What people decide: the worker is right, or the violation stands."""

    UPHELD = "upheld"
    REJECTED = "rejected"


class Standing(StrEnum):
    """Which appeals: those that wait for a decision, or those that had one."""

    WAITING = "waiting"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about an appeal.

    Attributes:
        note: Why; for whoever asks later.
    """

    outcome: Outcome
    note: str

    @classmethod
    def read(cls, outcome: str, note: str) -> "Decision":
        """Read what a form says.

        Raises:
            WrongInputError: If no outcome was chosen, or the note is missing or too long.
        """
        text = note.replace("\r\n", "\n").strip()
        if outcome not in set(Outcome):
            raise WrongInputError("Choose whether the appeal is upheld or rejected.")
        if not text:
            raise WrongInputError("Write a note: why is it decided so?")
        if len(text) > LONGEST_NOTE or "\0" in text:
            raise WrongInputError(f"The note is too long: {LONGEST_NOTE} characters at most.")
        return cls(Outcome(outcome), text)


def page(
    connection: Connection,
    standing: Standing | None,
    site: str | None = None,
    after: str | None = None,
    size: int = SHOWN,
) -> Page[Row]:
    """Return appeals with their newest decision, the newest appeal first.

    Raises:
        NotFoundError: If `after` is no key.
    """
    about = [violations.c[name] for name in ("rule", "class", "severity", "opened_at")]
    shown = [column for column in appeals.c if column.name != "payload"]
    newest = [
        _newest(name).label(f"decision_{name}") for name in ("outcome", "note", "account", "at")
    ]
    same = [violations.c[name] == appeals.c[name] for name in _SAME]
    joined = violations.c.site == appeals.c.site
    for condition in same:
        joined &= condition
    statement = select(*shown, *about, *newest).outerjoin(violations, joined)
    if standing is not None:
        decided = exists().where(decisions.c.appeal_id == appeals.c.appeal_id)
        statement = statement.where(decided if standing is Standing.DECIDED else ~decided)
    if site is not None:
        statement = statement.where(appeals.c.site == site)
    if after is not None:
        (before,) = decode(after, int)
        statement = statement.where(appeals.c.id < before)
    statement = statement.order_by(appeals.c.id.desc()).limit(size + 1)
    rows = [row._asdict() for row in connection.execute(statement)]
    return cut(rows, size, [rows[:size][-1]["id"]] if rows else ())


def one(connection: Connection, appeal_id: str) -> Row:
    """Return an appeal.

    Raises:
        NotFoundError: If it is not logged.
    """
    row = connection.execute(select(appeals).where(appeals.c.appeal_id == appeal_id)).first()
    if row is None:
        raise NotFoundError("no such appeal")
    return row._asdict()


def waiting(connection: Connection, most: int = 100) -> int:
    """Return how many appeals wait for a decision, counted up to a bound."""
    decided = exists().where(decisions.c.appeal_id == appeals.c.appeal_id)
    return len(connection.execute(select(appeals.c.id).where(~decided).limit(most)).all())


def decide(
    connection: Connection, appeal_id: str, decision: Decision, account: str, now: datetime
) -> Address:
    """Add a decision; one before it stays, and counts no longer. Returns whose box it is about.

    Raises:
        NotFoundError: If the appeal is not logged, or no longer.
    """
    row = one(connection, appeal_id)
    connection.execute(
        decisions.insert().values(
            appeal_id=appeal_id,
            outcome=decision.outcome.value,
            note=decision.note,
            account=account,
            at=now,
        )
    )
    return Address(row["site"], row["box"])


def _newest(name: str) -> ScalarSelect[Any]:
    return (
        select(decisions.c[name])
        .where(decisions.c.appeal_id == appeals.c.appeal_id)
        .order_by(decisions.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
