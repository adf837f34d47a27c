"""What a cluster of three costs here: `python -m tests.cluster --boxes 300 --rates 50,100`.

Everything runs here: three nodes on one core each, who answers their questions, the subscriber on
SQLite, and the boxes. Processor time for one event is the figure to reckon with.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.cluster.fleet import Fleet, subscriber
from tests.cluster.network import Network
from tests.cluster.rabbitmq import Cluster
from tests.eventually import eventually
from tests.load.programs import cpu_s_of
from tests.system.subscriber_rig import Subscriber

_CONNECTING_S = 600.0
_MICRO = 1e6
_COLUMNS = ("wanted/s", "answered/s", "p50 ms", "p99 ms", "nodes", "answers", "subscriber", "boxes")


def main() -> None:
    """Connect, send at each rate, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--boxes", type=int, default=300)
    parser.add_argument("--rates", default="50,100,200", help="events a second of all boxes")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    console = Console(width=120)
    with (
        Network(3) as network,
        Cluster(network) as cluster,
        tempfile.TemporaryDirectory() as folder,
    ):
        before = [node.memory_mb() for node in cluster.nodes]
        log = subscriber(cluster, Path(folder))
        fleet = Fleet(cluster, [log], boxes=options.boxes, rate=0)
        spent = _spent(cluster, log)
        began = time.monotonic()
        with fleet:
            eventually(lambda: fleet.connected == options.boxes, "boxes", within_s=_CONNECTING_S)
            took = time.monotonic() - began
            cost = [b - a for a, b in zip(spent, _spent(cluster, log), strict=True)]
            after = [node.memory_mb() for node in cluster.nodes]
            console.print(
                f"{options.boxes} boxes connected in {took:.0f} s, one of them for "
                f"{cost[0] / options.boxes * 1e3:.1f} ms of the nodes' processors and "
                f"{cost[1] / options.boxes * 1e3:.1f} ms of who answers; MB of a node: "
                f"{_mb(before)} before, {_mb(after)} with them",
                highlight=False,
            )
            table = Table(title="µs of processor time for one event, of all nodes together")
            for heading in _COLUMNS:
                table.add_column(heading, justify="right")
            for rate in map(float, options.rates.split(",")):
                table.add_row(*_row(cluster, fleet, rate, options.seconds))
            held = fleet.drain()
            console.print(table)
            console.print(
                f"{fleet.sent} events sent, {held.events} logged, {held.distinct} distinct; "
                f"MB of a node at the end: {_mb([node.memory_mb() for node in cluster.nodes])}",
                highlight=False,
            )


def _row(cluster: Cluster, fleet: Fleet, rate: float, seconds: float) -> list[str]:
    """Send at a rate for some seconds; returns a row of the table."""
    first, sent = fleet.answered, fleet.sent
    spent, began = _spent(cluster, fleet.subscribers[0]), time.monotonic()
    fleet.rate = rate
    time.sleep(seconds)
    took, answered = time.monotonic() - began, fleet.answered - first
    fleet.rate = 0
    target = first + fleet.sent - sent
    eventually(lambda: fleet.answered >= target, "all answers", within_s=_CONNECTING_S)
    all_spent = zip(spent, _spent(cluster, fleet.subscribers[0]), strict=True)
    costs = [(b - a) / max(fleet.sent - sent, 1) * _MICRO for a, b in all_spent]
    late = fleet.latencies_s(first)
    middle, most = (late[min(int(share * len(late)), len(late) - 1)] * 1e3 for share in (0.5, 0.99))
    figures = [rate, answered / took, middle, most, *costs]
    return [f"{figure:.0f}" for figure in figures]


def _spent(cluster: Cluster, log: Subscriber) -> list[float]:
    """Return processor seconds: nodes, who answers, subscriber, boxes."""
    nodes = [node.cpu_s() for node in cluster.nodes]
    servers, answers = (sum(part) for part in zip(*nodes, strict=True))
    return [servers, answers, cpu_s_of(log.pid), cpu_s_of(os.getpid())]


def _mb(values: list[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values)


if __name__ == "__main__":
    main()
