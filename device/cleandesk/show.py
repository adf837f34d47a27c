"""A live view for a terminal: what is seen, which rule it touches, and for how long. No picture."""

from collections import Counter, deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cleandesk.box import Look
from cleandesk.contract.messages import Phase
from cleandesk.policy import Change, Progress

_STYLE = {Phase.OPEN: "bold red", Phase.UPDATE: "yellow", Phase.CLOSE: "green"}
_RECENT = 8


class LiveView:
    """Draws each look; where the output is no terminal it prints one line for each change."""

    def __init__(
        self, *, title: str, length_s: float | None = None, console: Console | None = None
    ) -> None:
        """Prepare a view.

        Args:
            title: Names the box.
            length_s: How long the recording is, for a progress bar; None for a camera.
            console: Where to draw; standard output by default.
        """
        self._title = title
        self._length_s = length_s
        self._console = console or Console()
        self._live = Live(
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stderr=False,  # logs go where the caller sends them
        )
        self._recent: deque[Text] = deque(maxlen=_RECENT)
        self._began: float | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def __call__(self, look: Look) -> None:
        """Show one look."""
        if self._began is None:
            self._began = look.at.mono
        elapsed = look.at.mono - self._began
        for change in look.changes:
            line = _change_line(change, elapsed)
            self._recent.append(line)
            if not self._console.is_terminal:
                self._console.print(line)
        if self._console.is_terminal:
            self._live.update(self._draw(look, elapsed))

    def _draw(self, look: Look, elapsed: float) -> Group:
        parts: list[Text | ProgressBar | Table] = [self._headline(look, elapsed)]
        if self._length_s:
            parts.append(ProgressBar(total=self._length_s, completed=min(elapsed, self._length_s)))
        parts.append(_progress_table(look.progress))
        return Group(*parts, *self._recent)

    def _headline(self, look: Look, elapsed: float) -> Text:
        seen = Counter(name for name, _, _ in look.detections)
        what = ", ".join(f"{n} {name}" for name, n in sorted(seen.items())) or "nothing"
        link = "connected" if look.connected else "no broker"
        return Text.assemble(
            (f"{self._title}  ", "bold"),
            f"{elapsed:6.1f} s  frame {look.number}  {look.looks_per_s:.1f} looks/s  ",
            (link, "green" if look.connected else "red"),
            f", {look.waiting} waiting\nsees {what}",
        )


def _change_line(change: Change, elapsed: float) -> Text:
    style = _STYLE[change.phase]
    reason = f" ({change.reason.value})" if change.reason else ""
    return Text.assemble(
        f"{elapsed:6.1f} s  ",
        (f"{change.phase.value:<6}", style),
        f"  {change.class_name:<9} {change.rule} in {change.zone}, "
        f"score {change.score:.2f}, there {change.dwell_s:.1f} s{reason}",
    )


def _progress_table(rows: tuple[Progress, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("rule", "zone", "class", "dwell", "", ""):
        table.add_column(heading)
    for row in rows:
        needed = max(row.dwell_s, 0.1)
        state = Text("violation", "bold red") if row.open else Text("watching", "yellow")
        table.add_row(
            row.rule,
            row.zone,
            row.class_name,
            ProgressBar(total=needed, completed=min(row.present_s, needed), width=24),
            f"{row.present_s:.1f} of {row.dwell_s:.0f} s",
            state,
        )
    return table
