"""Boxes: how each one does, in words, from what it said and what is wrong with it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, exists, func, select, tuple_

from cleandesk.contract.health import Health
from cleandesk.contract.messages import Availability
from cleandesk.contract.update_messages import UpdateState
from cleandesk_fleet.subscriber.reports import REMOVED
from cleandesk_fleet.subscriber.tables import alarms, boxes
from cleandesk_fleet.web.errors import NotFoundError
from cleandesk_fleet.web.queries.paging import Page, cut, decode

Row = dict[str, Any]

SHOWN = 100
#: Alarms that say that something is wrong now, worst first; the others tell of the past.
_MOST_ALARMS = 1000


@dataclass(frozen=True, slots=True)
class Outbox:
    """What waits on a box: how many messages, and how long the oldest one has.

    Attributes:
        told_at: When the box said so.
    """

    depth: int
    oldest_s: float | None
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Box:
    """One box.

    Attributes:
        row: As the log has it.
        alarms: Those that are open.
        health: What it said last, if that can be read.
    """

    row: Row
    alarms: Sequence[Row]
    health: Health | None

    @property
    def outbox(self) -> Outbox | None:
        """What waits there, as it said last."""
        if self.health is None:
            return None
        outbox = self.health.outbox
        return Outbox(outbox.depth, outbox.oldest_s, self.health.at)

    @property
    def system(self) -> str | None:
        """The system that it runs, and the update that is under way, for people."""
        update = None if self.health is None else self.health.update
        if update is None or update.state is UpdateState.COMMITTED:
            return None if update is None else update.version
        coming = "" if update.coming is None else f" {update.coming}"
        done = "" if update.fetched is None else f", {update.fetched:.0%} of it"
        return f"{update.version}, {update.state}{coming}{done}"

    @property
    def given_up(self) -> str | None:
        """The last update that it did not take, or left, and why."""
        update = None if self.health is None else self.health.update
        return None if update is None else update.given_up

    @property
    def untried(self) -> str | None:
        """What of the system that runs nobody could try before it was to stay, and why."""
        update = None if self.health is None else self.health.update
        return None if update is None else update.untried

    @property
    def wrong(self) -> list[str]:
        """What is wrong with it, for people; nothing is good."""
        found = [_alarm(one) for one in self.alarms]
        if self.health is not None and self.row["status"] == Availability.ONLINE:
            if self.health.safe_mode:
                found.append("safe mode: it looks at nothing")
            if self.health.throttled:
                found.append("too hot: it is slowed down")
            if not self.health.clock_synced:
                found.append("its clock is not set")
        return found


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """Which boxes; None does not restrict."""

    site: str | None = None
    status: str | None = None
    alarmed: bool = False


#: What a box may say of itself, and what is said of one that was taken out.
STATUSES = (*(one.value for one in Availability), REMOVED)


def page(
    connection: Connection, wanted: FleetFilter, after: str | None = None, size: int = SHOWN
) -> Page[Box]:
    """Return boxes by name.

    Raises:
        NotFoundError: If `after` is no key.
    """
    key = (boxes.c.site, boxes.c.box)
    statement = select(boxes).order_by(*key).limit(size + 1)
    if wanted.site is not None:
        statement = statement.where(boxes.c.site == wanted.site)
    if wanted.status is not None:
        statement = statement.where(boxes.c.status == wanted.status)
    if wanted.alarmed:
        statement = statement.where(
            exists().where(
                alarms.c.site == boxes.c.site,
                alarms.c.box == boxes.c.box,
                alarms.c.closed_at.is_(None),
            )
        )
    if after is not None:
        statement = statement.where(tuple_(*key) > decode(after, str, str))
    rows = [row._asdict() for row in connection.execute(statement)]
    found = cut(rows, size, [rows[:size][-1][name] for name in ("site", "box")] if rows else ())
    return Page(_with_alarms(connection, found.rows), found.after)


def one(connection: Connection, site: str, box: str) -> Box:
    """Return one box.

    Raises:
        NotFoundError: If nothing was ever heard of it.
    """
    statement = select(boxes).where(boxes.c.site == site, boxes.c.box == box)
    row = connection.execute(statement).first()
    if row is None:
        raise NotFoundError("no such box")
    return _with_alarms(connection, [row._asdict()])[0]


def count_by_status(connection: Connection) -> dict[str, int]:
    """Return how many boxes there are of each status; `alarmed` is those with an open alarm."""
    statement = select(boxes.c.status, func.count()).group_by(boxes.c.status)
    found = {status or "unknown": count for status, count in connection.execute(statement)}
    with_alarm = (
        select(alarms.c.site, alarms.c.box)
        .where(alarms.c.closed_at.is_(None), alarms.c.box != "")
        .distinct()
        .subquery()
    )
    return found | {"alarmed": connection.scalar(select(func.count()).select_from(with_alarm)) or 0}


def _with_alarms(connection: Connection, rows: Sequence[Row]) -> list[Box]:
    keys = [(row["site"], row["box"]) for row in rows]
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    if keys:
        statement = (
            select(alarms)
            .where(tuple_(alarms.c.site, alarms.c.box).in_(keys), alarms.c.closed_at.is_(None))
            .order_by(alarms.c.id)
            .limit(_MOST_ALARMS)
        )
        for alarm in connection.execute(statement):
            found[alarm.site, alarm.box].append(alarm._asdict())
    return [Box(row, found[row["site"], row["box"]], _health(row["health"])) for row in rows]


def _health(payload: bytes | None) -> Health | None:
    """Read what was kept as it came; it fitted the contract of its day."""
    if payload is None:
        return None
    try:
        return Health.model_validate_json(payload)
    except ValidationError:
        return None


def _alarm(alarm: Row) -> str:
    subject = alarm["subject"] if alarm["kind"] in {"fault", "storage"} else ""
    return ": ".join(filter(None, [alarm["kind"], subject]))
