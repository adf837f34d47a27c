"""What the demo says at its beginning and its end."""

from collections.abc import Sequence
from datetime import datetime

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cleandesk.detector import Manifest
from demo.outcome import Logged, Outcome
from demo.scenario import CLEAR_AFTER_S, DWELL_S, FORBIDDEN


def introduction(source: str, manifest: Manifest) -> Panel:
    """Return what is about to be seen."""
    forbidden = ", ".join(FORBIDDEN)
    return Panel(
        f"camera [bold]{source}[/] -> detector [bold]{manifest.name} {manifest.version}[/] -> "
        f"policy -> outbox -> MQTT 5 broker on loopback -> subscriber -> log\n"
        f"forbidden here: {forbidden}; a violation opens after {DWELL_S:.0f} s "
        f"and closes when the desk was seen clean for {CLEAR_AFTER_S:.0f} s",
        title="cleandesk demo",
        border_style="cyan",
    )


def table(logged: Sequence[Logged], starts_at: datetime | None) -> Table:
    """Return the subscriber's log as a table.

    Args:
        logged: Violations, oldest first.
        starts_at: Start of a recording: times are shown in seconds from it; None: time of day.
    """
    result = Table(title="Read back from the subscriber's log", title_justify="left")
    for heading in ("opened", "closed", "class", "rule", "zone", "severity", "score", "dwell"):
        result.add_column(heading, justify="right" if heading in {"score", "dwell"} else "left")
    for violation in logged:
        closed = _when(violation.closed_at, starts_at) if violation.closed_at else "still open"
        reason = f" {violation.reason}" if violation.reason else ""
        result.add_row(
            _when(violation.opened_at, starts_at),
            closed + reason,
            violation.class_name,
            violation.rule,
            violation.zone,
            violation.severity,
            f"{violation.score:.2f}",
            f"{violation.dwell_s:.1f} s",
        )
    return result


def verdict(outcome: Outcome) -> Text:
    """Return how the log stands to what really lay on the desk."""
    text = Text()
    for visit in outcome.missed:
        text.append(f"missed: {visit.class_name} from {visit.from_s:.1f} s\n", "red")
    for word, violations in (
        ("logged twice", outcome.doubled),
        ("false", outcome.false),
        ("not closed", outcome.unclosed),
    ):
        for violation in violations:
            text.append(f"{word}: {violation.class_name}, {violation.violation_id}\n", "red")
    visits = len(outcome.matched) + len(outcome.missed)
    style = "bold green" if outcome.as_expected else "bold red"
    text.append(f"{len(outcome.matched)} of {visits} visits to the desk were logged", style)
    if outcome.as_expected:
        text.append(", each once, and nothing else", style)
    return text


def _when(moment: datetime, starts_at: datetime | None) -> str:
    if starts_at is None:
        return f"{moment:%H:%M:%S}Z"
    return f"{(moment - starts_at).total_seconds():6.1f} s"
