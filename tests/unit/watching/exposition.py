"""What a subscriber really tells Prometheus: every name of a series, read from an exposition."""

import tempfile
from functools import cache
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cleandesk_fleet.subscriber.database import open_reader, open_writer
from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.metrics.figures import Figures
from cleandesk_fleet.subscriber.metrics.state import FleetState
from cleandesk_fleet.subscriber.notices.choosing import Wanted, Way
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.transaction import Terms
from tests.unit.subscriber.make import HandClock, event, health, received, status
from tests.unit.subscriber.test_stills import KEEP


@cache
def names() -> frozenset[str]:
    """Return the names of all series that something was said by, and that of no other."""
    return frozenset(
        sample.name
        for family in text_string_to_metric_families(exposition())
        for sample in family.samples
    )


def exposition() -> str:
    """Return what is told by a subscriber to which a little of everything happened."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        engine, clock, figures = open_writer(path), HandClock(), Figures()
        terms = Terms(Album(Pictures(Path(folder)), KEEP), 50, notices=Wanted((Way.WEBHOOK,)))
        log = Log(engine, silent_after_s=180, terms=terms).begin(clock())
        lost = {"epoch": "e" * 32, "first": 9, "last": 9, "reason": "full"}
        readings = [
            *(status(), event(3), read(received("violation", b"\xff"), None)),
            health(camera={"fault": "black"}, outbox={"lost_ranges": [lost], "depth": 1}),
        ]
        figures.took(readings, log.commit(readings, clock()), 0.01)
        figures.log_failed()
        figures.dropped(1)
        figures.noticed(Way.WEBHOOK.value, "sent")
        figures.watch(connected=lambda: True, judges=lambda: True)
        figures.registry.register(FleetState(open_reader(path), lambda: True))
        text = generate_latest(figures.registry).decode()
        engine.dispose()
    return text
