"""What a reader wants to see: read from an address, with words where it says what cannot be."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, FromClause

from cleandesk.contract.messages import Severity
from cleandesk_fleet.web.errors import WrongInputError

_LONGEST = 200
_DAY = "%Y-%m-%d"


class State(StrEnum):
    """Whether a violation goes on."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which violations; None does not restrict. `since` and `until` are about when it opened.

    Attributes:
        until: The moment when it is over; an address says the last day that is shown.
    """

    site: str | None = None
    box: str | None = None
    class_name: str | None = None
    rule: str | None = None
    severity: Severity | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None

    def query(self, **more: str | None) -> str:
        """Return the filters as an address carries them, with more that goes beside them."""
        said: dict[str, str] = {}
        for field in fields(self):
            if (text := self.text(field.name)) != "":
                said[_KEYS[field.name]] = text
        return urlencode(said | {name: text for name, text in more.items() if text})

    def text(self, name: str) -> str:
        """Return what a form's field shows of a filter."""
        value = getattr(self, name)
        if isinstance(value, datetime):
            day = value - timedelta(days=1) if name == "until" else value
            return day.strftime(_DAY)
        return "" if value is None else str(value)

    @property
    def restricts(self) -> bool:
        """Whether there is any filter."""
        return any(getattr(self, field.name) is not None for field in fields(self))

    def conditions(self, table: FromClause) -> list[ColumnElement[bool]]:
        """Return what holds for the rows of a table that are wanted."""
        found: list[ColumnElement[bool]] = [
            table.c[_KEYS[name]] == getattr(self, name)
            for name in ("site", "box", "class_name", "rule", "severity")
            if getattr(self, name) is not None
        ]
        if self.state is not None:
            is_open = table.c.closed_at.is_(None)
            found.append(is_open if self.state is State.OPEN else ~is_open)
        if self.since is not None:
            found.append(table.c.opened_at >= self.since)
        if self.until is not None:
            found.append(table.c.opened_at < self.until)
        return found


_KEYS = {field.name: field.name.removesuffix("_name") for field in fields(Wanted)}


def read(given: Mapping[str, str]) -> Wanted:
    """Read filters from an address; what is empty does not restrict.

    Raises:
        WrongInputError: If one of them says what cannot be.
    """
    said = {name: given.get(key, "").strip() for name, key in _KEYS.items()}
    for name, text in said.items():
        if len(text) > _LONGEST or "\0" in text:
            raise WrongInputError(f"The filter for {_KEYS[name]} is too long, or no text.")
    values: dict[str, Any] = {name: text or None for name, text in said.items()}
    for name, kind in (("severity", Severity), ("state", State)):
        values[name] = _choice(said[name], kind)
    values["since"] = day(said["since"])
    until = day(said["until"])
    values["until"] = None if until is None else _next(until)
    return Wanted(**values)


def day(text: str) -> datetime | None:
    """Read a day: the moment when it begins in UTC; None if there is no text.

    Raises:
        WrongInputError: If it is no day.
    """
    if not text:
        return None
    try:
        return datetime.strptime(text, _DAY).replace(tzinfo=UTC)
    except ValueError:
        raise WrongInputError("A day is written 2026-05-04.") from None


def _next(start: datetime) -> datetime:
    try:
        return start + timedelta(days=1)
    except OverflowError:
        raise WrongInputError("That day is too far away.") from None


def _choice(text: str, kind: type[StrEnum]) -> StrEnum | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise WrongInputError(f"Choose one of {', '.join(kind)}.") from None
