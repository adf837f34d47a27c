"""From what the runs gave to the figures that have bars, and to the JSON that tells them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cleandesk.bench.program import Memory
from cleandesk.bench.spec import Part, Result
from cleandesk.bench.stats import Spread, percentile

_LOOP_THREAD = "MainThread"
_STAGE_FIGURES = ("p50_ms", "p95_ms", "p99_ms", "cpu_ms")


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach.

    Attributes:
        unit: Of the figure.
        limit: The bar.
        side: Whether it is the least or the most that will do.
        means: The figure in words.
    """

    unit: str
    limit: float
    side: Literal["least", "most"]
    means: str

    def met(self, value: float) -> bool:
        """Say whether a value reaches it."""
        return value >= self.limit if self.side == "least" else value <= self.limit


BARS: Mapping[str, Bar] = {
    "loop_over_bare": Bar("", 0.95, "least", "whole loop over bare inference, frames a second"),
    "overhead_ms": Bar("ms", 2.0, "most", "CPU a frame outside inference"),
    "latency_beyond_frame_p99_ms": Bar(
        "ms", 30.0, "most", "frame taken -> event at a subscriber, less one frame time, p99"
    ),
    "throughput_over_plain": Bar("", 1.2, "least", "whole loop over the plain loop, from a file"),
    "still_cpu_saving_over_plain": Bar(
        "", 3.0, "least", "CPU of the plain loop over ours, still scene, same pace and finds"
    ),
    "rss_mb": Bar("MB", 220.0, "most", "resident memory of `cleandesk run`, largest sample"),
    "rss_slope_mb_per_h": Bar("MB/h", 1.0, "most", "its growth after the warm-up"),
    "start_s": Bar("s", 3.0, "most", "process start -> first detection told"),
}


@dataclass(slots=True)
class Collected:
    """All that was measured.

    Attributes:
        results: Of each part, one a round.
        latencies_s: Of each round, each event's.
        frame_s: From one frame to the next where events were timed.
        same_finds: Of each round, whether both loops found the same in the still scene.
        starts_s: One a round.
        memory: None if it was not watched.
        machine: What it was measured on.
    """

    results: dict[Part, list[Result]] = field(default_factory=dict)
    latencies_s: list[list[float]] = field(default_factory=list)
    frame_s: float = 0.0
    same_finds: list[bool] = field(default_factory=list)
    starts_s: list[float] = field(default_factory=list)
    memory: Memory | None = None
    machine: dict[str, object] = field(default_factory=dict)

    def add(self, part: Part, result: Result) -> None:
        """Keep what a run gave."""
        self.results.setdefault(part, []).append(result)


def figures(collected: Collected) -> dict[str, list[float]]:
    """Return each figure's values, one a round; empty where it was not measured."""
    of = collected.results
    saving = [
        plain.cpu_ms / ours.cpu_ms
        for plain, ours, same in zip(
            of.get(Part.STILL_PLAIN, []), of.get(Part.STILL, []), collected.same_finds, strict=False
        )
        if same
    ]
    memory = collected.memory
    return {
        "loop_over_bare": _ratios(of, Part.LOOP, Part.BARE),
        "overhead_ms": [one.overhead_ms for one in of.get(Part.LOOP, [])],
        "latency_beyond_frame_p99_ms": [
            (percentile(one, 99) - collected.frame_s) * 1000 for one in collected.latencies_s if one
        ],
        "throughput_over_plain": _ratios(of, Part.LOOP_FILE, Part.PLAIN_FILE),
        "still_cpu_saving_over_plain": saving,
        "rss_mb": [memory.largest_mb] if memory else [],
        "rss_slope_mb_per_h": [memory.slope_mb_per_h] if memory else [],
        "start_s": collected.starts_s,
    }


def _ratios(of: Mapping[Part, Sequence[Result]], above: Part, below: Part) -> list[float]:
    pairs = zip(of.get(above, []), of.get(below, []), strict=False)
    return [one.fps / other.fps for one, other in pairs]


def to_json(collected: Collected) -> dict[str, object]:
    """Return everything as one JSON object.

    Each figure is its rounds' median, null where it was not measured; `spread` holds least, median
    and greatest. Of several rounds' latencies p99 is taken over all of them.
    """
    values = figures(collected)
    said: dict[str, object] = {
        name: round(Spread.of(values[name]).median, 4) if values[name] else None for name in BARS
    }
    every = [one for many in collected.latencies_s for one in many]
    if every:
        beyond = (percentile(every, 99) - collected.frame_s) * 1000
        said["latency_beyond_frame_p99_ms"] = round(beyond, 4)
    return said | {
        "spread": {name: Spread.of(many).to_json() for name, many in values.items() if many},
        "bars": {
            name: {
                "limit": bar.limit,
                "side": bar.side,
                "met": isinstance(value := said[name], float) and bar.met(value),
            }
            for name, bar in BARS.items()
        },
        "stages": stages(collected),
        "parts": {part.value: _part(many) for part, many in collected.results.items()},
        "threads_ms": threads_ms(collected),
        "loop_over_bare_by_cpu": by_cpu(collected),
        "plain_ceiling": ceiling(collected),
        "events": _events(collected, every),
        "memory": _memory(collected.memory),
        "machine": collected.machine,
    }


def stages(collected: Collected) -> dict[str, dict[str, float]]:
    """Return each stage's times, milliseconds: medians over the rounds of the ungated loop."""
    rounds = [one.stages for one in collected.results.get(Part.LOOP, [])]
    names = list(dict.fromkeys(name for one in rounds for name in one))
    return {
        name: {
            figure: round(
                Spread.of([getattr(one[name], figure) for one in rounds if name in one]).median, 4
            )
            for figure in _STAGE_FIGURES
        }
        for name in names
    }


def threads_ms(collected: Collected) -> dict[str, float]:
    """Return CPU milliseconds a frame by thread, medians over the rounds of the ungated loop."""
    rounds = collected.results.get(Part.LOOP, [])
    names = list(dict.fromkeys(name for one in rounds for name in one.threads))
    return {
        name: round(
            Spread.of([one.threads.get(name, 0.0) / one.frames * 1000 for one in rounds]).median, 4
        )
        for name in names
    }


def by_cpu(collected: Collected) -> float | None:
    """Return what `loop_over_bare` would be if no other process took the cores meanwhile.

    It is the CPU time of one inference over that of a frame in the thread that runs inference, the
    slowest of the loop's; both medians over the rounds. With several inference threads there is no
    such figure.
    """
    bare, loop = (collected.results.get(part, []) for part in (Part.BARE, Part.LOOP))
    if not bare or not loop or any("inference" in one.threads for one in loop):
        return None
    one_inference = Spread.of([one.cpu_ms for one in bare]).median
    one_frame = Spread.of([1000 * one.threads[_LOOP_THREAD] / one.frames for one in loop]).median
    return round(one_inference / one_frame, 4)


def ceiling(collected: Collected) -> float | None:
    """Return what `throughput_over_plain` would be if our loop cost nothing beside inference."""
    ratios = _ratios(collected.results, Part.BARE, Part.PLAIN_FILE)
    return round(Spread.of(ratios).median, 4) if ratios else None


def _part(many: Sequence[Result]) -> dict[str, object]:
    return {
        "fps": Spread.of([one.fps for one in many]).to_json(),
        "cpu_s_per_s": Spread.of([one.cores for one in many]).to_json(),
        "cpu_ms_per_frame": Spread.of([one.cpu_ms for one in many]).to_json(),
    }


def _events(collected: Collected, every: Sequence[float]) -> Mapping[str, float] | None:
    if not every:
        return None
    latency = {f"p{p}_ms": round(percentile(every, p) * 1000, 3) for p in (50, 95, 99)}
    return {"count": len(every), "frame_ms": round(collected.frame_s * 1000, 3)} | latency


def _memory(memory: Memory | None) -> Mapping[str, float] | None:
    if memory is None:
        return None
    return {
        "frames": memory.frames[-1],
        "wall_s": round(memory.times[-1], 1),
        "frames_per_s": round(memory.frames_per_s, 1),
        "first_mb": memory.mb[0],
        "last_mb": memory.mb[-1],
        "peak_mb": round(memory.peak_mb, 1),
        "cuts": memory.cuts,
    }
