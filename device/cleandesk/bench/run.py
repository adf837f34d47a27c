"""The whole measurement: rounds of parts, each in a process of its own."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cleandesk.bench import desk, frames, machine, program
from cleandesk.bench.broker import Endpoint, broker
from cleandesk.bench.child import measure
from cleandesk.bench.disturbance import Disturbance
from cleandesk.bench.figures import Collected
from cleandesk.bench.finds import Find, same_finds, steady
from cleandesk.bench.listener import Listener
from cleandesk.bench.plan import Plan, Topic
from cleandesk.bench.spec import Part, Spec
from cleandesk.bench.stats import Spread, interleaved
from cleandesk.bench.survey import Survey, survey, things
from cleandesk.contract.topics import Address
from cleandesk.detector import Detector
from cleandesk.settings import BoxSettings

#: A run's first seconds: threads start, caches fill. Of still scenes more, until all is told and
#: the gate has nothing left to wait for.
_WARM_S, _STILL_WARM_S = 1.0, 9.0
#: A still scene has to be looked at again a few times, and things have to come and go.
_LEAST_S = {Part.STILL: 6.0, Part.STILL_PLAIN: 6.0, Part.EVENTS: 8.0}
#: Where events are timed, pictures come as fast as a camera gives them, if inference keeps up.
_CAMERA_FPS, _PACE_SHARE = 30.0, 0.8
_TRIALS = 9
#: Memory is watched through this many cuts of the connection at least.
_CUTS = 3
_CUT_EVERY_S = 20.0
#: Told the name of a step, and how many of how many are done.
Progress = Callable[[str, int, int], None]

_PARTS: dict[Topic, tuple[Part, ...]] = {
    Topic.SPEED: (Part.BARE, Part.LOOP, Part.LOOP_FILE, Part.LOOP_GATED),
    Topic.EVENTS: (Part.EVENTS,),
    Topic.STILL: (Part.STILL,),
}
_AGAINST: dict[Topic, tuple[Part, ...]] = {
    Topic.SPEED: (Part.PLAIN, Part.PLAIN_FILE),
    Topic.STILL: (Part.STILL_PLAIN,),
}


def run(plan: Plan, progress: Progress) -> Collected:
    """Measure.

    Raises:
        BenchError: If something cannot be measured.
        ConfigError: If the settings cannot be used.
        ModelError: If the model cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="cleandesk-bench-") as name:
        with _bench(plan, Path(name)) as bench:
            bench.all_rounds(progress)
            if Topic.MEMORY in plan.topics:
                bench.watch_memory(progress)
        return bench.collected


@contextmanager
def _bench(plan: Plan, folder: Path) -> Iterator["_Bench"]:
    threads = max(1, machine.cores() - 1)
    named = desk.given(plan.config)
    detector = desk.load(named, threads=threads)
    settings = named or desk.own(detector.names)
    with (
        broker(folder, plan.broker) as where,
        Listener(where.host, where.port, Address(settings.site, settings.box)) as listener,
    ):
        shown = survey(plan.clip, detector)
        bench = _Bench(
            plan, shown, settings, detector.manifest.classes, threads, where, listener, folder
        )
        bench.frame_s = 1 / min(_CAMERA_FPS, _PACE_SHARE / _inference_s(detector, plan, shown))
        bench.collected.machine = machine.describe(detector, threads=threads) | {
            "broker": where.kind,
            "clip": f"{plan.clip.name}, {shown.frames} frames, {shown.size[0]}x{shown.size[1]}",
            "measured_at": "x".join(map(str, frames.SIZE)),
        }
        yield bench


def _inference_s(detector: Detector, plan: Plan, shown: Survey) -> float:
    """Return how long a look takes, roughly, for a pace that it can keep up with."""
    image = frames.pictures(plan.clip, [shown.full])[0]
    took = []
    for _ in range(_TRIALS):
        began = time.perf_counter()
        detector.detect(image, min_score=0.1)
        took.append(time.perf_counter() - began)
    return Spread.of(took).median


@dataclass(slots=True)
class _Bench:
    """What all runs share."""

    plan: Plan
    shown: Survey
    settings: BoxSettings
    classes: tuple[str, ...]
    threads: int
    where: Endpoint
    listener: Listener
    folder: Path
    frame_s: float = 1 / _CAMERA_FPS
    collected: Collected = field(default_factory=Collected)
    _number: int = 0
    _ours: list[Find] = field(default_factory=list)

    def all_rounds(self, progress: Progress) -> None:
        """Run every part in turn, round after round."""
        self.collected.frame_s = self.frame_s
        steps: list[Part | Topic] = []
        for topic in self.plan.topics:
            steps += _PARTS.get(topic, ())
            steps += _AGAINST.get(topic, ()) if self.plan.plain else ()
            steps += (topic,) if topic is Topic.START else ()
        total = len(steps) * self.plan.rounds
        for done, (number, step) in enumerate(interleaved(steps, self.plan.rounds)):
            progress(f"round {number + 1}: {step.value}", done, total)
            if isinstance(step, Part):
                self._run(step)
            else:
                self._start()
        progress("rounds done", total, total)

    def _run(self, part: Part) -> None:
        self.listener.forget()
        result = measure(self._spec(part))
        self.collected.add(part, result)
        if part is Part.EVENTS:
            told = self.listener.events(since_utc=result.began_utc)
            self.collected.latencies_s.append([one.latency_s for one in told])
        elif part is Part.STILL:
            self._ours = self.listener.open_things()
        elif part is Part.STILL_PLAIN:
            forbidden = things(self.classes)
            theirs = steady(self.listener.detections(), forbidden)
            self.collected.same_finds.append(same_finds(self._ours, theirs))

    def _spec(self, part: Part) -> Spec:
        still = part in (Part.STILL, Part.STILL_PLAIN)
        pace = 1 / self.frame_s if part is Part.EVENTS else 0.0
        return Spec(
            part=part,
            clip=self.plan.clip.absolute(),
            survey=self.shown,
            seconds=max(self.plan.seconds, _LEAST_S.get(part, 0.0)),
            warm_s=_STILL_WARM_S if still else _WARM_S,
            threads=self.threads,
            host=self.where.host,
            port=self.where.port,
            folder=self._new_folder(),
            pace=self.settings.looks_per_s if still else pace,
            config=self.plan.config and self.plan.config.absolute(),
            plain=self.plan.plain and self.plan.plain.absolute(),
        )

    def _start(self) -> None:
        folder = self._new_folder()
        settings = desk.first_sight(self._for_program(folder, realtime=True), self.classes)
        self.collected.starts_s.append(program.start_s(settings, folder, self.listener))

    def watch_memory(self, progress: Progress) -> None:
        """Watch the real program's memory while it takes in frames, and is cut off now and then."""
        folder = self._new_folder()
        settings = self._for_program(folder, realtime=False)
        where = self.where
        address = Address(settings.site, settings.box)
        with Disturbance(where.host, where.port, address, every_s=_CUT_EVERY_S) as disturbance:
            self.collected.memory = program.watch_memory(
                settings,
                folder,
                self.listener,
                self.plan.frames,
                lambda taken: progress("memory: frames", taken, self.plan.frames),
            )
            self.collected.memory.cuts = disturbance.cuts

    def _for_program(self, folder: Path, *, realtime: bool) -> BoxSettings:
        return desk.placed(
            self.settings,
            clip=self.plan.clip.absolute(),
            folder=folder,
            where=(self.where.host, self.where.port),
            threads=self.threads,
            realtime=realtime,
        )

    def _new_folder(self) -> Path:
        """Return an empty folder for one run."""
        self._number += 1
        folder = self.folder / f"{self._number:03d}"
        folder.mkdir()
        return folder
