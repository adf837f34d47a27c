"""The parts of a measurement, each run in a process of its own by `child`."""

import importlib.util
import time
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

from cleandesk.bench import desk, frames, stats
from cleandesk.bench.errors import BenchError
from cleandesk.bench.meter import CpuTimer, Window, thread_names, threads_cpu
from cleandesk.bench.spec import Part, Result, Spec, StageSums
from cleandesk.box import Box
from cleandesk.camera.recording import Reader, Recording
from cleandesk.clock import SystemClock
from cleandesk.detector import Manifest, default_manifest, read_manifest

#: An unpaced recording's own time from picture to picture: slower than looks may be.
_LASTS_S = 0.1
#: So many consecutive pictures are held in memory: more than a processor's caches hold.
_HELD = 48
_NOISES, _SEED = 16, 20
#: Where things come and go: seconds that nothing lies there, so that all closes, and that each of
#: the clip's moments stays.
_EMPTY_S, _SHOWN_S = 1.4, 0.2


def run(spec: Spec) -> Result:
    """Run one part.

    Raises:
        BenchError: If it could not be measured.
    """
    if spec.part is Part.BARE:
        return _bare(spec)
    return _plain(spec) if spec.part.plain else _loop(spec)


def _bare(spec: Spec) -> Result:
    """Run inference and nothing else: the same session, on one picture's tensor."""
    detector = desk.load(desk.given(spec.config), threads=spec.threads)
    prepared = detector.prepare(frames.pictures(spec.clip, [spec.survey.full])[0])
    window = Window(spec.warm_s, spec.seconds)
    while window.frame():
        detector.infer(prepared)
    return _result(window)


def _loop(spec: Spec) -> Result:
    """Run a whole box on a recording."""
    timer, clock, reader = CpuTimer(), SystemClock(), _reader(spec)
    settings = desk.settings_for(spec, _manifest(spec).classes)
    window = Window(spec.warm_s, spec.seconds)
    before = set(threads_cpu())
    box = Box(
        settings,
        base=spec.folder,
        clock=clock,
        timer=timer,
        camera=lambda: Recording(frames.Counted(reader, window), settings.camera, clock),
    )
    pool = set(threads_cpu()) - before - set(thread_names())
    window.on_begin, window.on_end = timer.forget, box.stop
    code = box.run()
    if code:
        raise BenchError(f"{spec.part}: the box ended with {code}; its log above says why")
    return _result(window, timer, pool)


def _plain(spec: Spec) -> Result:
    """Run the other loop on the same pictures."""
    if spec.plain is None:
        raise BenchError("no other loop to compare with: name one by --plain")
    detector = desk.load(desk.given(spec.config), threads=spec.threads)
    manifest, weights = detector.manifest, detector.weights.file
    del detector
    window = Window(spec.warm_s, spec.seconds)
    _load(spec.plain).run(
        frames.Feed(_reader(spec), window, paced=spec.pace > 0),
        manifest,
        weights,
        (spec.host, spec.port),
        threads=spec.threads,
    )
    return _result(window)


def _manifest(spec: Spec) -> Manifest:
    named = desk.given(spec.config)
    return read_manifest((named and named.detector.manifest) or default_manifest())


def _load(path: Path) -> ModuleType:
    """Import a file that is no part of any package."""
    found = importlib.util.spec_from_file_location("plain", path)
    if found is None or found.loader is None or not path.exists():
        raise BenchError(f"{path}: no Python file to compare with; correct --plain")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _reader(spec: Spec) -> Reader:
    lasts_s = 1 / spec.pace if spec.pace else _LASTS_S
    survey = spec.survey
    if spec.part in (Part.LOOP_FILE, Part.LOOP_GATED, Part.PLAIN_FILE):
        return frames.SizedVideo(spec.clip, lasts_s)
    if spec.part in (Part.STILL, Part.STILL_PLAIN):
        image = frames.pictures(spec.clip, [survey.full])[0]
        return frames.Memory(frames.noisy(image, _NOISES, seed=_SEED), range(_NOISES), lasts_s)
    if spec.part is Part.EVENTS:
        images = frames.pictures(spec.clip, sorted({survey.empty, *survey.moments}))
        return frames.Memory(images, _coming_and_going(spec, lasts_s), lasts_s)
    first = min(survey.full, max(0, survey.frames - _HELD))
    held = range(first, min(first + _HELD, survey.frames))
    return frames.Memory(frames.pictures(spec.clip, held), range(len(held)), lasts_s)


def _coming_and_going(spec: Spec, lasts_s: float) -> list[int]:
    """Return the order in which a clip's moments show things that come, go, and come again."""
    numbers = sorted({spec.survey.empty, *spec.survey.moments})
    empty = numbers.index(spec.survey.empty)
    order = [empty] * max(1, round(_EMPTY_S / lasts_s))
    for index in range(len(numbers)):
        if index != empty:
            order += [index] * max(1, round(_SHOWN_S / lasts_s))
    return order


def _result(window: Window, timer: CpuTimer | None = None, pool: Collection[int] = ()) -> Result:
    """Return what lies between a window's two marks.

    Args:
        window: That is over.
        timer: The stages'.
        pool: Kernel ids of the inference's own threads, beside the one that runs the loop.
    """
    begin, end = window.begin, window.end
    if begin is None or end is None or end.frames == begin.frames:
        raise BenchError("the run ended before its window did: measure for longer by --seconds")
    spent = {tid: cpu - begin.threads.get(tid, 0.0) for tid, cpu in end.threads.items()}
    threads: dict[str, float] = {}
    for tid, cpu in spent.items():
        name = "inference" if tid in pool else end.names.get(tid, "libraries")
        threads[name] = threads.get(name, 0.0) + cpu
    frames_seen = end.frames - begin.frames
    infer = timer.cpu.get("infer") if timer else None
    return Result(
        frames=frames_seen,
        wall_s=end.wall - begin.wall,
        cpu_s=end.cpu - begin.cpu,
        infer_cpu_s=None if infer is None else sum(infer) + threads.get("inference", 0.0),
        began_utc=time.time() - (time.perf_counter() - begin.wall),
        stages={name: _stage(timer, name, frames_seen) for name in timer.wall} if timer else {},
        threads=threads,
    )


def _stage(timer: CpuTimer, name: str, frames_seen: int) -> StageSums:
    wall = timer.wall[name]
    return StageSums(
        p50_ms=stats.percentile(wall, 50) * 1000,
        p95_ms=stats.percentile(wall, 95) * 1000,
        p99_ms=stats.percentile(wall, 99) * 1000,
        cpu_ms=sum(timer.cpu[name]) / frames_seen * 1000,
        runs=len(wall),
    )
