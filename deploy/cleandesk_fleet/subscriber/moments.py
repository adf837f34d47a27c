"""Time, injected, and how people write it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment: seconds on a clock that never jumps, and UTC for people."""

    mono: float
    utc: datetime


Clock = Callable[[], Moment]


def system_clock() -> Moment:
    """Return the present moment."""
    return Moment(time.monotonic(), datetime.now(UTC))


def parse_time(text: str, now: datetime) -> datetime:
    """Read a moment: RFC 3339, a date, or how long ago (`90s`, `30m`, `2h`, `3d`, `1w`).

    Without a zone it is local time.

    Raises:
        ValueError: If it is none of these.
    """
    ago = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is not a time: write 2h, 3d, 2026-05-04 or 2026-05-04T08:30:00Z"
        ) from None
