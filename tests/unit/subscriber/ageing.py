"""A log that deletes what is old, and what grows old in it."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.notices.choosing import Wanted, Way
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.transaction import Terms
from tests.unit.subscriber.make import START, HandClock, event, hex_id, received

KEEP = timedelta(days=30)
DAY_S = 86_400.0
#: After `fill`: the events of May have had their time, as a month too, and that of June has not.
MAY_IS_OVER_S = 29.5 * DAY_S
#: Events of PostgreSQL go with their month.
A_MONTH_MORE = 31


def log_that_deletes(engine: Engine, clock: HandClock) -> Log:
    """Begin a log that keeps nothing for longer than `KEEP`."""
    album, told = Album(Pictures(Path("no-stills")), timedelta(hours=72)), Wanted((Way.MAIL,))
    terms = Terms(album, 50, keep=KEEP, notices=told)
    return Log(engine, silent_after_s=10**9, terms=terms).begin(clock())


def appeal(violation: str) -> dict[str, object]:
    """Return a worker's objection to a violation."""
    return {
        "schema": 1,
        "appeal_id": hex_id("appeal"),
        "violation_id": violation,
        "reason": "not_mine",
        "at": START.isoformat(),
        "clock_synced": True,
    }


def look(log: Log, clock: HandClock, seconds: float = 0) -> None:
    """Look around as long as there is more to delete, as the service does each second."""
    clock.sleep(seconds)
    for _ in range(10):
        log.look_around(clock())


def fill(log: Log, clock: HandClock) -> None:
    """Log an old violation and all that hangs on it, and one that goes on."""
    old, lasting = hex_id("old"), hex_id("lasting")
    log.commit(
        [
            event(1, violation_id=old),
            event(2, violation_id=lasting),
            read(received("appeal", appeal(old)), None),
            read(received("violation", b"nonsense"), None),
        ],
        clock(),
    )
    clock.sleep(29 * DAY_S)
    log.look_around(clock())
    log.commit([event(3, violation_id=lasting)], clock())
