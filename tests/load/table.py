"""What runs gave, for people."""

import statistics
from collections import defaultdict
from collections.abc import Sequence

from rich.table import Table

from tests.load.run import Outcome, Plan, median

_PARTS = ("broker", "subscribers", "database", "boxes")
_MICRO = 1e6
_HOUR_S = 3600.0
_FEWEST_SAMPLES = 10


def line(outcome: Outcome) -> str:
    """Return a run in one line, as it ends."""
    return (
        f"{outcome.plan.name}: {outcome.plan.rate:.0f}/s wanted, {outcome.answered_a_s:.0f}/s "
        f"answered, p50 {outcome.latency_ms(0.5):.0f} ms, p99 {outcome.latency_ms(0.99):.0f} ms, "
        f"waiting {outcome.waiting}, lost {outcome.lost}, doubled {outcome.doubled}, "
        f"sent again {outcome.again}"
    )


def of(outcomes: Sequence[Outcome]) -> Table:
    """Return the table of all runs: medians over the rounds of each; losses are summed."""
    shown = Table(title="medians of the rounds; µs of processor time for one event")
    for heading in (
        "run",
        "wanted/s",
        "answered/s",
        "p50 ms",
        "p99 ms",
        "waiting",
        "lost",
        "doubled",
    ):
        shown.add_column(heading, justify="left" if heading == "run" else "right")
    for part in (*_PARTS, "two cores allow/s", "memory MB: start, quarter, end", "MB an hour"):
        shown.add_column(part, justify="right")
    for plan, rounds in _by_plan(outcomes).items():
        costs = [median([one.cpu_us[part] for one in rounds]) for part in _PARTS]
        shown.add_row(
            plan.name,
            f"{plan.rate:.0f}",
            f"{median([one.answered_a_s for one in rounds]):.0f}",
            f"{median([one.latency_ms(0.5) for one in rounds]):.0f}",
            f"{median([one.latency_ms(0.99) for one in rounds]):.0f}",
            str(sum(one.waiting for one in rounds)),
            str(sum(one.lost for one in rounds)),
            str(sum(one.doubled for one in rounds)),
            *(f"{cost:.0f}" for cost in costs),
            f"{2 * _MICRO / sum(costs):.0f}",
            " ".join(f"{median(at):.0f}" for at in zip(*map(_memory, rounds), strict=True)),
            f"{median([slope_mb_an_hour(one.memory_mb) for one in rounds]):+.1f}",
        )
    return shown


def growth(outcomes: Sequence[Outcome]) -> str:
    """Say what ten times the boxes, at ten times the events, cost in processor time."""
    told = []
    for plan, rounds in _by_plan(outcomes).items():
        for other, others in _by_plan(outcomes).items():
            same = (plan.database, plan.subscribers) == (other.database, other.subscribers)
            if same and other.boxes * 10 == plan.boxes and other.rate * 10 == plan.rate:
                ratio = _cpu_a_second(rounds) / _cpu_a_second(others)
                told.append(f"{plan.name}: {ratio:.1f} times the processor time of a tenth of it")
    return "\n".join(told)


def slope_mb_an_hour(memory_mb: Sequence[float]) -> float:
    """Return how fast memory grows in the last three quarters of a run, by least squares.

    Args:
        memory_mb: Resident memory each second.
    """
    steady = memory_mb[len(memory_mb) // 4 :]
    if len(steady) < _FEWEST_SAMPLES:
        return float("nan")
    return statistics.linear_regression(range(len(steady)), steady).slope * _HOUR_S


def _memory(outcome: Outcome) -> tuple[float, float, float]:
    """Return a run's memory at its start, after a quarter of it, and at its end."""
    samples = outcome.memory_mb
    return samples[0], samples[len(samples) // 4], samples[-1]


def _cpu_a_second(rounds: Sequence[Outcome]) -> float:
    """Return the processor time a second of broker, subscribers and database."""
    return median(
        [
            sum(cost for part, cost in one.cpu_us.items() if part != "boxes") * one.plan.rate
            for one in rounds
        ]
    )


def _by_plan(outcomes: Sequence[Outcome]) -> dict[Plan, list[Outcome]]:
    found: dict[Plan, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        found[outcome.plan].append(outcome)
    return found
