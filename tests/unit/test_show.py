"""The live view says what is seen, in words, on a terminal and in a pipe."""

import io
from datetime import UTC, datetime

import numpy as np
from rich.console import Console

from cleandesk.box import Look
from cleandesk.clock import Instant
from cleandesk.contract.messages import CloseReason, Phase, Severity
from cleandesk.detector import Detections
from cleandesk.policy import Change, Progress
from cleandesk.show import LiveView

PLACE = (0.1, 0.2, 0.3, 0.4)


def _at(mono: float) -> Instant:
    return Instant(mono, datetime(2026, 1, 5, 9, tzinfo=UTC), synced=True)


def _change(phase: Phase, reason: CloseReason | None = None) -> Change:
    return Change(
        violation_id="0" * 32,
        phase=phase,
        rule="no-phone",
        class_name="phone",
        zone="desk",
        severity=Severity.HIGH,
        place=PLACE,
        score=0.81,
        dwell_s=3.2,
        opened=_at(5),
        at=_at(8),
        reason=reason,
    )


def _look(mono: float, *changes: Change) -> Look:
    found = Detections(
        np.array([[1, 2, 3, 4]], np.float32),
        np.array([0.8], np.float32),
        np.array([0]),
        ("phone",),
        (10, 10),
    )
    progress = Progress(
        rule="no-phone",
        zone="desk",
        class_name="phone",
        place=PLACE,
        present_s=1.4,
        dwell_s=3.0,
        open=False,
        suspended=False,
        violation_id=None,
    )
    return Look(
        at=_at(mono),
        number=7,
        detections=found,
        changes=changes,
        progress=(progress,),
        looks_per_s=4.9,
        connected=False,
        waiting=2,
    )


def test_a_pipe_gets_one_line_for_each_change() -> None:
    text = io.StringIO()
    with LiveView(title="s/b", console=Console(file=text, width=120)) as view:
        view(_look(5))
        view(_look(8, _change(Phase.OPEN)))
        view(_look(9, _change(Phase.CLOSE, CloseReason.CLEARED)))
    opened, closed = text.getvalue().splitlines()
    assert opened.split()[:4] == ["3.0", "s", "open", "phone"]
    assert "(cleared)" in closed


def test_a_terminal_sees_rule_zone_dwell_and_the_lost_link() -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=120)
    with LiveView(title="s/b", length_s=10, console=console) as view:
        view(_look(5))
    shown = text.getvalue()
    for words in ("no-phone", "desk", "1.4 of 3 s", "no broker", "2 waiting", "1 phone"):
        assert words in shown
