"""What the log says about the whole fleet, read anew when Prometheus asks.

By box there are two series, and one for each kind of alarm that is open; all else is counted by
site. What is sensed is not told of a single box: its violations are counted by site alone.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, Connection, Engine, Float, Select, cast, func, select
from sqlalchemy.exc import SQLAlchemyError

from cleandesk_fleet.subscriber.notices.table import notices
from cleandesk_fleet.subscriber.quarantine import DROPPED
from cleandesk_fleet.subscriber.queries import counter
from cleandesk_fleet.subscriber.reports import AT_REST
from cleandesk_fleet.subscriber.tables import (
    alarms,
    boxes,
    epochs,
    losses,
    quarantine,
    violations,
)

log = logging.getLogger(__name__)

#: Who asks more often is given the same once more.
FRESH_S = 5.0
#: Boxes beyond are counted and not named: those that were heard of last.
MOST_BOXES = 20_000
#: Of each kind the oldest open alarms are named; all are counted.
MOST_ALARMS = 1000
_UNKNOWN = "unknown"


class FleetState(Collector):
    """Reads the log while this subscriber judges for all; else another one does.

    Args:
        engine: From `open_reader`.
        judges: Whether it falls to us.
    """

    def __init__(self, engine: Engine, judges: Callable[[], bool]) -> None:
        self._engine, self._judges = engine, judges
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._known: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        """Return nothing: names need no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield what the log says, of now or of a moment ago."""
        if not self._judges():
            return
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_S:
                self._known = self._read()
                self._read_at = time.monotonic()
            yield from self._known

    def _read(self) -> list[Metric]:
        readable = GaugeMetricFamily(
            "cleandesk_log_readable", "Whether the log could be read for these figures"
        )
        found: list[Metric] = []
        try:
            with self._engine.connect() as connection:
                found = [metric for read in _READ for metric in read(connection)]
        except SQLAlchemyError as error:
            log.warning("no figures of the fleet: the log cannot be read", extra={"reason": error})
            found = []
        readable.add_metric([], float(bool(found)))
        return [readable, *found]


def _boxes(connection: Connection) -> Iterator[Metric]:
    """Yield how many boxes there are by site and status, and those that are at work by name."""
    states = GaugeMetricFamily(
        "cleandesk_boxes", "Boxes by what they last said of themselves", labels=["site", "status"]
    )
    status = func.coalesce(boxes.c.status, _UNKNOWN)
    by_site = select(boxes.c.site, status, func.count()).group_by(boxes.c.site, status)
    _fill(states, connection, by_site)
    yield states
    seen = GaugeMetricFamily(
        "cleandesk_box_last_seen_timestamp_seconds",
        "When a box that is not at rest was last heard",
        labels=["site", "box"],
    )
    waits = GaugeMetricFamily(
        "cleandesk_box_outbox_oldest_seconds",
        "How long the oldest event of a box that is not at rest waits to be logged",
        labels=["site", "box"],
    )
    left_out = GaugeMetricFamily("cleandesk_boxes_left_out", "Boxes that are too many to be named")
    at_work = status.not_in(AT_REST)
    columns = (boxes.c.site, boxes.c.box, boxes.c.last_seen, boxes.c.outbox_oldest_s)
    named = select(*columns).where(at_work).order_by(boxes.c.last_seen).limit(MOST_BOXES)
    number = 0
    for number, (site, box, last_seen, oldest_s) in enumerate(connection.execute(named), 1):  # noqa: B007 - counts
        if last_seen is not None:
            seen.add_metric([site, box], last_seen.timestamp())
        waits.add_metric([site, box], oldest_s or 0.0)
    every = connection.scalar(select(func.count()).select_from(boxes).where(at_work)) or 0
    left_out.add_metric([], max(every - number, 0))
    yield from (seen, waits, left_out)


def _alarms(connection: Connection) -> Iterator[Metric]:
    """Yield how many alarms are open by site and kind, and the oldest of each kind by box."""
    still = alarms.c.closed_at.is_(None)
    count = GaugeMetricFamily("cleandesk_alarms_open", "Open alarms", labels=["site", "kind"])
    by_site = select(alarms.c.site, alarms.c.kind, func.count()).where(still)
    _fill(count, connection, by_site.group_by(alarms.c.site, alarms.c.kind))
    yield count
    since = GaugeMetricFamily(
        "cleandesk_box_alarm_since_timestamp_seconds",
        "When the oldest open alarm of a kind about a box was opened",
        labels=["site", "box", "kind"],
    )
    columns = (alarms.c.site, alarms.c.box, alarms.c.kind)
    opened = func.min(alarms.c.opened_at).label("opened_at")
    grouped = select(*columns, opened).where(still, alarms.c.box != "").group_by(*columns)
    of_kind = grouped.subquery()
    place = func.row_number().over(partition_by=of_kind.c.kind, order_by=of_kind.c.opened_at)
    ranked = select(of_kind, place.label("place")).subquery()
    oldest = select(ranked).where(ranked.c.place <= MOST_ALARMS)
    for row in connection.execute(oldest):
        since.add_metric([row.site, row.box, row.kind], row.opened_at.timestamp())
    yield since


def _events(connection: Connection) -> Iterator[Metric]:
    """Yield what is missing, lost and open by site."""
    missing = GaugeMetricFamily(
        "cleandesk_events_missing", "Events that are in a gap of the log", labels=["site"]
    )
    sums = select(epochs.c.site, _total(epochs.c.missing)).group_by(epochs.c.site)
    _fill(missing, connection, sums)
    lost = GaugeMetricFamily(
        "cleandesk_events_lost",
        "Events that will never come, and are still kept in mind",
        labels=["site"],
    )
    lengths = _total(losses.c.last - losses.c.first + 1)
    _fill(lost, connection, select(losses.c.site, lengths).group_by(losses.c.site))
    opened = GaugeMetricFamily(
        "cleandesk_violations_open", "Violations that are not closed", labels=["site", "severity"]
    )
    columns = (violations.c.site, violations.c.severity)
    open_now = select(*columns, func.count()).where(violations.c.closed_at.is_(None))
    _fill(opened, connection, open_now.group_by(*columns))
    yield from (missing, lost, opened)


def _quarantine(connection: Connection) -> Iterator[Metric]:
    """Yield how much could not be logged, all told."""
    kept = GaugeMetricFamily("cleandesk_quarantine_messages", "Unreadable messages that are kept")
    kept.add_metric([], connection.scalar(select(func.count()).select_from(quarantine)) or 0)
    gone = CounterMetricFamily(
        "cleandesk_quarantine_dropped", "Unreadable messages that made room for newer ones"
    )
    gone.add_metric([], counter(connection, DROPPED))
    yield from (kept, gone)


def _notices(connection: Connection) -> Iterator[Metric]:
    """Yield what people are still to be told, and for how long already."""
    waiting = GaugeMetricFamily(
        "cleandesk_notices_waiting", "Severe violations that are still to be told", labels=["way"]
    )
    oldest = GaugeMetricFamily(
        "cleandesk_notices_oldest_seconds", "How long the oldest of them waits", labels=["way"]
    )
    still: ColumnElement[bool] = notices.c.sent_at.is_(None) & notices.c.given_up_at.is_(None)
    first = func.min(notices.c.received_at)
    asked = select(notices.c.way, func.count(), first).where(still).group_by(notices.c.way)
    now = datetime.now(UTC)
    for way, count, received_at in connection.execute(asked):
        waiting.add_metric([way], count)
        oldest.add_metric([way], (now - received_at).total_seconds())
    yield from (waiting, oldest)


def _total(numbers: ColumnElement[int]) -> ColumnElement[float]:
    """Return a sum that no box can make too large for the database by what it says."""
    return func.sum(cast(numbers, Float))


def _fill(metric: GaugeMetricFamily, connection: Connection, asked: Select[Any]) -> None:
    """Add what a query returns: the labels, and the value last."""
    for *labels, value in connection.execute(asked):
        metric.add_metric(labels, float(value))


_READ = (_boxes, _alarms, _events, _quarantine, _notices)
