"""What the tests of the worker's side share: a clock to be set, a sensor to be counted at."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cleandesk.clock import Instant
from cleandesk.settings_worker import BreakSettings
from cleandesk.worker.break_mode import BreakMode
from cleandesk.worker.breaks import Rules
from cleandesk.worker.sensor import Sensor

BOOT, OTHER_BOOT = "b" * 32, "c" * 32
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class SetClock:
    """Stands at a moment until it is moved."""

    mono: float = 1000.0
    utc: datetime = START
    synced: bool = True

    def now(self) -> Instant:
        return Instant(self.mono, self.utc, self.synced)

    def move(self, seconds: float) -> None:
        self.mono += seconds
        self.utc += timedelta(seconds=seconds)


@dataclass
class FakeCamera:
    """Counts what is acquired; lets go at once unless it is told to hang."""

    running: bool = False
    hangs: bool = False
    starts: int = 0

    def start(self) -> None:
        assert not self.running
        self.running = True
        self.starts += 1

    def stop(self, timeout_s: float = 2.0) -> bool:
        assert timeout_s >= 0
        if not self.hangs:
            self.running = False
        return not self.running


@dataclass
class FakeLight:
    """Remembers whether it is lit."""

    lit: bool = False

    def on(self) -> None:
        self.lit = True

    def off(self) -> None:
        self.lit = False


@dataclass
class Process:
    """One process's break mode on a folder, with all that it touches."""

    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    boot: str = BOOT
    limits: BreakSettings = field(default_factory=BreakSettings)
    fresh: bool = True

    def __post_init__(self) -> None:
        self.camera, self.light = FakeCamera(), FakeLight()
        self.notes: list[str] = []
        self.path = self.folder / "outbox.db.worker"
        self.mode = BreakMode(
            self.path,
            Rules(self.limits, self.boot),
            self.clock,
            Sensor(self.camera, self.light),
            fresh=self.fresh,
            note=lambda what, _text: self.notes.append(what),
        )

    def rests(self) -> bool:
        """Say whether there is a break."""
        return self.mode.present is not None
