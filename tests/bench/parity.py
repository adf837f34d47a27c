"""`make parity`: gate and governor leave out looks, and no violation.

Each recording is run three times through a whole box, broker and all: each frame looked at; with
the gate; with the gate, and the governor at its lowest rate all the time. What the subscriber hears
must be the same violations, by rule, class and place, each opened and closed within the deadline.
"""

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cleandesk.bench.broker import Endpoint, broker
from cleandesk.bench.desk import broker as link
from cleandesk.bench.desk import own
from cleandesk.bench.finds import Find
from cleandesk.bench.listener import Listener
from cleandesk.box import Box
from cleandesk.camera.recording import Picture, Reader, Recording
from cleandesk.camera.video import VideoReader
from cleandesk.clock import SystemClock
from cleandesk.contract.messages import Phase
from cleandesk.contract.topics import Address
from cleandesk.detector import default_manifest, read_manifest
from cleandesk.loop import needs_of
from cleandesk.settings import BoxSettings, CameraSettings, OutboxSettings
from tests.bench.scenes import SceneReader
from tests.rig import CLIP, SHARED

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
MODES = ("each frame", "gate", "gate, hot")
SEED = 7
#: Lower than the model's own, so that there is more to agree on.
MIN_SCORE = 0.5
THINGS = ("phone", "paper", "notebook", "pen", "cup", "tablet", "remote", "headphones", "bottle")


@dataclass(frozen=True)
class Violation:
    """One violation, seconds since the recording's start."""

    rule: str
    find: Find
    opened: float
    closed: float | None

    def __str__(self) -> str:
        end = "open at the end" if self.closed is None else f"{self.closed:.1f} s"
        return f"{self.rule} {self.find.class_name} {self.opened:.1f} s - {end}"


@dataclass(frozen=True)
class Case:
    """A recording with the rules for it."""

    name: str
    settings: BoxSettings
    reader: Reader
    frames: int


class Told(Protocol):
    """Told of each frame that is read."""

    def __call__(self) -> None:
        """Count one."""
        ...


class _Counting:
    """A reader that tells how far it is."""

    def __init__(self, reader: Reader, tell: Told) -> None:
        self._reader, self._tell = reader, tell
        self.name = reader.name
        self.open, self.close = reader.open, reader.close

    def next(self) -> Picture | None:
        """Return the next picture; None after the last."""
        self._tell()
        return self._reader.next()


def cases(scenes: int) -> list[Case]:
    """Return all recordings that can be had here."""
    names = [name for name in THINGS if name in read_manifest(default_manifest()).classes]
    found = [_clip("demo clip", CLIP, names)]
    for file, classes in (
        ("bottle-detection.mp4", ["bottle"]),
        ("one-by-one-person-detection.mp4", ["person"]),
    ):
        path = SHARED / "videos" / file
        if path.is_file():
            found.append(_clip(file, path, classes))
    reader = SceneReader(scenes, seed=SEED)
    found.append(Case(reader.name, _settings(names), reader, reader.frames))
    return found


def _clip(name: str, path: Path, classes: Sequence[str]) -> Case:
    reader = VideoReader(path)
    reader.open()
    picture = reader.next()
    length = reader.length_s
    reader.close()
    if picture is None:
        raise OSError(f"{path}: no picture in it; copy it again")
    return Case(name, _settings(classes), VideoReader(path), round(length / picture.lasts_s))


def _settings(classes: Sequence[str]) -> BoxSettings:
    settings = own(classes, {"dwell_s": 2.0, "clear_after_s": 2.0, "min_score": MIN_SCORE})
    camera = CameraSettings(source="recording", realtime=False, starts_at=START)
    return settings.model_copy(update={"camera": camera})


def run(case: Case, mode: str, where: Endpoint, tell: Told) -> list[Violation]:
    """Run a box on a recording; return what a subscriber heard of."""
    with tempfile.TemporaryDirectory(prefix="cleandesk-parity-") as folder, ExitStack() as stack:
        settings = case.settings.model_copy(
            update={
                "gate": "off" if mode == MODES[0] else "on",
                "broker": link(where.host, where.port),
                "outbox": OutboxSettings(path=Path(folder) / "outbox.db"),
            }
        )
        address = Address(settings.site, settings.box)
        listener = stack.enter_context(Listener(where.host, where.port, address))
        clock, reader = SystemClock(), _Counting(case.reader, tell)
        box = Box(
            settings,
            base=Path(folder),
            clock=clock,
            camera=lambda: Recording(reader, settings.camera, clock),
        )
        if mode == MODES[2]:
            box._preparer.looks_per_s = _least(settings)
        code = box.run(until_end=True)
        if code:
            raise RuntimeError(f"{case.name}, {mode}: the box ended with {code}; its log says why")
        return _violations(listener)


def _least(settings: BoxSettings) -> float:
    return needs_of(settings.rules, settings.looks_per_s).least_looks_per_s


def _violations(listener: Listener) -> list[Violation]:
    found: dict[str, Violation] = {}
    for one in listener.events():
        event = one.event
        at = (event.at - START) / timedelta(seconds=1)
        if event.phase is Phase.OPEN:
            find = Find(event.class_name, event.place)
            found[event.violation_id] = Violation(event.rule, find, at, None)
        elif event.phase is Phase.CLOSE:
            begun = found[event.violation_id]
            found[event.violation_id] = Violation(begun.rule, begun.find, begun.opened, at)
    return sorted(found.values(), key=lambda violation: violation.opened)


def slack_s(settings: BoxSettings, mode: str) -> float:
    """Return how much later a violation may open or close than with every frame looked at.

    The gate may leave a change that it cannot see unseen for the deadline, and then it takes a
    rule's N looks.
    """
    needs = needs_of(settings.rules, settings.looks_per_s)
    rate = needs.least_looks_per_s if mode == MODES[2] else settings.looks_per_s
    return needs.deadline_s + max(rule.of for rule in settings.rules) / rate


def differences(
    expected: Sequence[Violation], found: Sequence[Violation], slack: float
) -> list[str]:
    """Return what is told in one run and not in the other, in words."""
    left = list(found)
    said = []
    for one in expected:
        twin = next((other for other in left if _same(one, other, slack)), None)
        if twin is None:
            said.append(f"missing: {one}")
        else:
            left.remove(twin)
    return said + [f"added: {one}" for one in left]


def _same(one: Violation, other: Violation, slack: float) -> bool:
    if one.rule != other.rule or not one.find.same(other.find):
        return False
    if abs(one.opened - other.opened) > slack or (one.closed is None) != (other.closed is None):
        return False
    return one.closed is None or other.closed is None or abs(one.closed - other.closed) <= slack


def main(
    scenes: Annotated[int, typer.Option(min=1, help="How many generated scenes")] = 200,
) -> None:
    """Compare; exit 1 if anything differs."""
    console = Console()
    table = Table(
        title="Violations, and differences to looking at each frame", title_justify="left"
    )
    for heading in ("recording", "frames", *MODES, "differences"):
        table.add_column(heading, justify="left" if heading == "recording" else "right")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    said: list[str] = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cleandesk-parity-"))
        where = stack.enter_context(broker(Path(folder), None))
        shown = stack.enter_context(
            Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        )
        for case in cases(scenes):
            heard = []
            for mode in MODES:
                task = shown.add_task(f"{case.name}: {mode}", total=case.frames)
                heard.append(run(case, mode, where, lambda task=task: shown.advance(task)))
                shown.remove_task(task)
            differ = [
                f"{case.name}, {mode}: {text}"
                for mode, found in zip(MODES[1:], heard[1:], strict=True)
                for text in differences(heard[0], found, slack_s(case.settings, mode))
            ]
            counts = (str(len(found)) for found in heard)
            table.add_row(case.name, str(case.frames), *counts, str(len(differ)))
            said += differ
    console.print(table)
    for text in said:
        console.print(text, highlight=False)
    if said:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
