"""Moments and spans for people."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from markupsafe import Markup

from cleandesk.contract.messages import timestamp

_MINUTE = 60


def zone_of(name: str | None) -> tzinfo | None:
    """Return a time zone; None is the system's."""
    return None if name is None else ZoneInfo(name)


def shown(moment: datetime, now: datetime, zone: tzinfo | None) -> Markup:
    """Return a moment as HTML: local time, with the day unless it is today; UTC as its title."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    text = local.strftime("%H:%M:%S" if local.date() == today.date() else "%Y-%m-%d %H:%M")
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        timestamp(utc), utc.strftime("%Y-%m-%d %H:%M:%S UTC"), text
    )


def span(seconds: float) -> tuple[str, int]:
    """Return a wait in words' parts: `seconds` or `minutes`, and how many, rounded up."""
    whole = int(seconds) + 1
    return ("seconds", whole) if whole <= 2 * _MINUTE else ("minutes", -(-whole // _MINUTE))
