"""What one event costs a subscriber besides the broker: to be read and checked, and to be logged.

    python -m tests.bench.intake --events 50000 --batch 250

Events of many boxes, as they open, update and close violations, are read and committed to a log of
their own in batches, by the subscriber's own code and without a connection. Prints the processor
time of one event: the subscriber's for both steps, and the database server's.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cleandesk.contract.messages import Phase
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Channel
from cleandesk_fleet.services import collect_seldom
from cleandesk_fleet.subscriber.database import open_writer
from cleandesk_fleet.subscriber.intake import Event, Reading, read
from cleandesk_fleet.subscriber.moments import system_clock
from cleandesk_fleet.subscriber.store import Log
from tests.load.boxes import address_of
from tests.load.programs import family_cpu_s, new_log
from tests.unit.subscriber.make import event_fields, hex_id, log_of

_PHASES = (Phase.OPEN, Phase.UPDATE, Phase.CLOSE)
_BOXES, _SITES = 2000, 50


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run cost, seconds of processor time."""

    read_s: float
    log_s: float
    database_s: float


def events(count: int) -> Iterator[Received]:
    """Yield events as they come from the broker, of all boxes in turn."""
    for number in range(count):
        seq, box = divmod(number, _BOXES)
        violation, phase = divmod(seq, len(_PHASES))
        fields = event_fields(
            seq + 1,
            phase=_PHASES[phase].value,
            event_id=hex_id(box, seq),
            violation_id=hex_id(box, "violation", violation),
            epoch=hex_id(box),
        )
        topic = address_of(box, _SITES).topic(Channel.VIOLATION)
        yield Received(topic, json.dumps(fields).encode())


def measure(log: Log, messages: Sequence[Received], batch: int) -> tuple[float, float]:
    """Read and log messages; returns the processor time of both, in seconds."""
    read_s = log_s = 0.0
    for first in range(0, len(messages), batch):
        begins = time.process_time()
        readings: list[Reading] = [read(one, None) for one in messages[first : first + batch]]
        between = time.process_time()
        log.commit(readings, system_clock())
        read_s, log_s = read_s + between - begins, log_s + time.process_time() - between
        assert all(isinstance(one, Event) for one in readings), "an event was not taken"
    return read_s, log_s


def run(database: str, messages: Sequence[Received], batch: int) -> Cost:
    """Measure on a new log."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place, server = stack.enter_context(new_log(folder, database))
        engine = open_writer(place)
        stack.callback(engine.dispose)
        log = log_of(engine, folder=folder)
        before = 0.0 if server is None else family_cpu_s(server.pid)
        read_s, log_s = measure(log, messages, batch)
        after = 0.0 if server is None else family_cpu_s(server.pid)
        return Cost(read_s, log_s, after - before)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=250)
    given = parser.parse_args()
    messages = list(events(given.events))
    collect_seldom()
    many = f"{given.events} events of {_BOXES} boxes in batches of {given.batch}"
    print(f"{many}; µs for one event\n")  # noqa: T201
    print("| log | read and check | log | database |\n|---|---|---|---|")  # noqa: T201
    for database in ("sqlite", "postgresql"):
        cost = run(database, messages, given.batch)
        figures = (
            f"{1e6 * s / given.events:.0f}" for s in (cost.read_s, cost.log_s, cost.database_s)
        )
        print(f"| {database} | {' | '.join(figures)} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
