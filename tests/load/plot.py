"""The runs as a picture to look at."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from tests.load.run import Outcome

_SHARES = [share / 1000 for share in range(1, 1000)]


def write(outcomes: Sequence[Outcome], path: Path) -> None:
    """Draw answers a second, event to ack, losses and memory into a PNG."""
    figure, (answers, latency, memory) = plt.subplots(3, 1, figsize=(11, 14))
    for outcome in outcomes:
        wrong = f"lost {outcome.lost}, doubled {outcome.doubled}"
        name = f"{outcome.plan.name}, {outcome.plan.rate:.0f}/s: {wrong}"
        answers.plot(outcome.seconds[:-1], label=name)
        (drawn,) = latency.plot([outcome.latency_ms(share) for share in _SHARES], _SHARES)
        for share in (0.5, 0.99):
            latency.plot(outcome.latency_ms(share), share, "o", color=drawn.get_color())
        memory.plot(outcome.memory_mb)
    answers.set(title="answers a second", xlabel="s", ylim=(0, None))
    answers.legend(fontsize="x-small")
    latency.set(title="event to ack, share of events; dots: p50, p99", xlabel="ms", xscale="log")
    memory.set(title="memory of the largest subscriber", xlabel="s", ylabel="MB", ylim=(0, None))
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)
