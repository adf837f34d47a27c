"""`make load`: boxes by the thousand against broker, subscribers and database, on this machine.

All on the loopback address, and all of it counted: whatever else runs here makes it slower.
"""

import argparse
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from cleandesk_fleet.services import collect_seldom
from cleandesk_fleet.subscriber.settings import BatchSettings
from tests.load import plot, table
from tests.load.run import Outcome, Plan, measure

_RATES = {"postgresql": 5000.0, "sqlite": 2000.0}


def main() -> None:
    """Do the runs one after the other; print the table, draw the plot."""
    options = _options()
    # So that what was started is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    collect_seldom()  # what measures must not stand still by itself
    console = Console(width=210)
    outcomes: list[Outcome] = []
    for plan in _plans(options):
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory(prefix="cleandesk-load-") as folder:
                outcome = measure(plan, Path(folder))
            outcomes.append(outcome)
            console.print(table.line(outcome), highlight=False)
    console.print(table.of(outcomes))
    console.print(table.growth(outcomes), highlight=False)
    path = Path(options.plot)
    path.parent.mkdir(parents=True, exist_ok=True)
    plot.write(outcomes, path)
    console.print(f"{path}: answers a second, event to ack, and memory", highlight=False)


def _plans(options: argparse.Namespace) -> list[Plan]:
    """Return for each database: the bar's rate, half of it, a tenth of the boxes, and a kill."""
    plans = []
    for database in options.database.split(","):
        rate = options.rate or _RATES[database]
        several = options.subscribers if database == "postgresql" else 1
        whole = Plan(
            options.boxes, rate, options.seconds, database, several, options.events_a_commit
        )
        plans.append(whole)
        if options.only_whole:
            continue
        plans.append(replace(whole, rate=rate / 2))
        plans.append(replace(whole, boxes=max(options.boxes // 10, 1), rate=rate / 20))
        if several > 1:
            plans.append(replace(whole, rate=rate / 4, kill=True))
    return plans


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--boxes", type=int, default=5000)
    parser.add_argument("--rate", type=float, help="events a second of all boxes; default: the bar")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=1, help="repeat each run")
    parser.add_argument("--database", default="postgresql,sqlite")
    parser.add_argument("--subscribers", type=int, default=2, help="on one log in PostgreSQL")
    parser.add_argument(
        "--events-a-commit", type=int, default=BatchSettings().messages, help="at most, together"
    )
    parser.add_argument("--only-whole", action="store_true", help="only at the whole rate")
    parser.add_argument("--plot", default="build/load.png")
    options = parser.parse_args()
    if not 1 <= options.boxes <= 8000:
        parser.error("--boxes: 1 to 8000; more need more open files than a user has")
    return options


if __name__ == "__main__":
    main()
