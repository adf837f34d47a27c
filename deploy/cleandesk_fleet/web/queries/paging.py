"""Pages by key: the next one begins behind the last row of this one, however many came before."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from cleandesk_fleet.web.errors import NotFoundError

T = TypeVar("T")
_LONGEST = 600
_LARGEST = 2**63 - 1  # of what a database counts with


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and where the next page begins: behind this key; None is the end."""

    rows: Sequence[T]
    after: str | None


def cut(rows: Sequence[T], size: int, key: Sequence[Any]) -> Page[T]:
    """Return a page of one row more than fits.

    Args:
        rows: One more than `size`, if there are so many.
        size: So many are shown.
        key: The last shown row's key.
    """
    return Page(rows[:size], encode(key) if len(rows) > size else None)


def encode(key: Sequence[Any]) -> str:
    """Return a key as an address can carry it."""
    values = [part.isoformat() if isinstance(part, datetime) else part for part in key]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode(text: str, *kinds: type) -> tuple[Any, ...]:
    """Read a key: datetime, str or int for each of its parts.

    Raises:
        NotFoundError: If it is no such key.
    """
    try:
        return tuple(_values(text, kinds))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise NotFoundError("no such page") from error


def _values(text: str, kinds: Sequence[type]) -> Iterator[Any]:
    if len(text) > _LONGEST:
        raise ValueError("too long")
    values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(values, list) or len(values) != len(kinds):
        raise ValueError("another key")
    for value, kind in zip(values, kinds, strict=True):
        yield _moment(value) if kind is datetime else _plain(value, kind)


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment


def _plain(value: object, kind: type) -> object:
    if type(value) is not kind:
        raise ValueError("another kind")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError("too large")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("no text")
    return value
