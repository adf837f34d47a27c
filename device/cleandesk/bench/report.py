"""The figures for a person at a terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cleandesk.bench.figures import BARS, Collected, by_cpu, ceiling, figures, stages, threads_ms
from cleandesk.bench.spec import Part
from cleandesk.bench.stats import Spread

#: Below, growth is mostly that of caches which fill.
_LONG_S = 900.0
_DOES = {
    Part.BARE: "inference alone",
    Part.LOOP: "our loop, from memory",
    Part.LOOP_FILE: "our loop, from the file",
    Part.LOOP_GATED: "our loop, gate on, file",
    Part.PLAIN: "plain loop, from memory",
    Part.PLAIN_FILE: "plain loop, from the file",
    Part.EVENTS: "our loop, as from a camera",
    Part.STILL: "our loop, still scene",
    Part.STILL_PLAIN: "plain loop, still scene",
}


def report(collected: Collected) -> Group:
    """Return everything that was measured, as tables."""
    return Group(*_parts_of_report(collected))


def _parts_of_report(collected: Collected) -> Iterator[RenderableType]:
    yield Text(", ".join(f"{key} {value}" for key, value in collected.machine.items()))
    if collected.results:
        yield _runs(collected)
    if stages(collected):
        yield _stages(collected)
        spent = sorted(threads_ms(collected).items(), key=lambda one: -one[1])
        said = ", ".join(f"{name} {value:.3f}" for name, value in spent)
        yield Text(f"CPU ms a frame by thread: {said}")
        if (estimate := by_cpu(collected)) is not None:
            yield Text(f"loop over bare by CPU time, whatever else ran: {estimate:.3f}")
    if (most := ceiling(collected)) is not None:
        yield Text(f"bare inference over the plain loop, from the file: {most:.3f}")
    yield from _notes(collected)
    yield _figures(collected)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left")
    return table


def _runs(collected: Collected) -> Table:
    table = _table("Runs: min median max", "run", "frames/s", "CPU s/s", "CPU ms/frame")
    for part, many in collected.results.items():
        table.add_row(
            _DOES[part],
            _three([one.fps for one in many], 1),
            _three([one.cores for one in many], 3),
            _three([one.cpu_ms for one in many], 2),
        )
    return table


def _stages(collected: Collected) -> Table:
    table = _table("Stages of our loop, ms", "stage", "p50", "p95", "p99", "CPU/frame")
    for name, one in stages(collected).items():
        table.add_row(name, *(f"{one[f'{key}_ms']:.3f}" for key in ("p50", "p95", "p99", "cpu")))
    return table


def _notes(collected: Collected) -> Iterator[Text]:
    every = [one for many in collected.latencies_s for one in many]
    if collected.latencies_s:
        yield Text(f"events timed: {len(every)}; frame time {collected.frame_s * 1000:.1f} ms")
    if collected.same_finds:
        same = sum(collected.same_finds)
        rounds = len(collected.same_finds)
        but = "" if same == rounds else "; the others do not count"
        yield Text(f"still scene: both loops found the same in {same} of {rounds} rounds{but}")
    memory = collected.memory
    if memory:
        yield Text(
            f"memory: {memory.frames[-1]} frames in {memory.times[-1]:.0f} s "
            f"({memory.frames_per_s:.0f}/s), cut off {memory.cuts} times, "
            f"{memory.mb[0]:.1f} -> {memory.mb[-1]:.1f} MB, peak {memory.peak_mb:.1f} MB"
            + ("" if memory.times[-1] >= _LONG_S else "; so short a run only shows the warm-up")
        )


def _figures(collected: Collected) -> Table:
    table = _table("Figures", "figure", "min", "median", "max", "bar", "")
    values = figures(collected)
    for name, bar in BARS.items():
        many = values[name]
        limit = f"{'>=' if bar.side == 'least' else '<='} {bar.limit:g} {bar.unit}".strip()
        if not many:
            table.add_row(name, "", "not measured", "", limit, "")
            continue
        spread = Spread.of(many)
        met = bar.met(spread.median)
        table.add_row(
            name,
            *(f"{value:.3f}" for value in (spread.min, spread.median, spread.max)),
            limit,
            Text("met", "green") if met else Text("missed", "bold red"),
        )
    return table


def _three(values: list[float], digits: int) -> str:
    spread = Spread.of(values)
    return " ".join(f"{v:.{digits}f}" for v in (spread.min, spread.median, spread.max))
