"""What the policy reports: a violation opened, changed or ended, and what is on the way to it."""

from dataclasses import dataclass

from cleandesk.clock import Instant
from cleandesk.contract.messages import CloseReason, Phase, Severity

Place = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Change:
    """One step in the life of a violation; the box makes an event of it.

    Attributes:
        violation_id: 32 hexadecimal digits, for life.
        place: x1, y1, x2, y2 as fractions of the picture.
        score: Best so far, 0-1.
        dwell_s: Seconds from first to last sight.
        opened: When the violation opened.
        at: When this change happened.
        reason: Why it closed; None otherwise.
    """

    violation_id: str
    phase: Phase
    rule: str
    class_name: str
    zone: str
    severity: Severity
    place: Place
    score: float
    dwell_s: float
    opened: Instant
    at: Instant
    suspended: bool = False
    reason: CloseReason | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How near something is to being a violation, for a live display.

    Attributes:
        place: x1, y1, x2, y2 as fractions of the picture.
        present_s: Seconds for which it has been seen to be there.
        dwell_s: Seconds that the rule allows.
        violation_id: None until it is open.
    """

    rule: str
    zone: str
    class_name: str
    place: Place
    present_s: float
    dwell_s: float
    open: bool
    suspended: bool
    violation_id: str | None
