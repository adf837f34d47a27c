"""Moments and spans for people: always UTC, and always said so."""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from cleandesk.contract.messages import timestamp

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))


def shown(moment: datetime) -> Markup:
    """Return a moment as HTML, to the second."""
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}<span class="zone"> UTC</span></time>').format(
        timestamp(utc), utc.strftime("%Y-%m-%d %H:%M:%S")
    )


def span(seconds: float) -> str:
    """Return a span for people: its largest unit, and the next one where it matters.

    >>> span(12.4), span(95), span(7320), span(200_000)
    ('12 s', '1 min 35 s', '2 h 2 min', '2 d 7 h')
    """
    left = max(0, round(seconds))
    parts: list[str] = []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
    parts.append(f"{left} s" if left or not parts else "")
    return " ".join(part for part in parts[:2] if part)


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago something was, in words."""
    passed = (now - moment) / timedelta(seconds=1)
    return "now" if passed < 1 else f"{span(passed)} ago"
