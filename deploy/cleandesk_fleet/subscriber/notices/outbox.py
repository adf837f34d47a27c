"""The messages that people are still to be sent: made of what waits, tried until they are taken.

A message is a set of notices that share its name. It is made once, and from then on always says the
same under the same name, so that a receiver who takes it twice can tell. One message of a way is on
its way at a time; what comes meanwhile goes together in the next one.
"""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from cleandesk_fleet.subscriber.database import taking_turns
from cleandesk_fleet.subscriber.notices.choosing import Way
from cleandesk_fleet.subscriber.notices.table import UNTOLD, notices
from cleandesk_fleet.subscriber.rows import Row

#: So many notices share a message at most; those beyond go in the next one.
MOST_IN_ONE = 1000
RETRY_MIN_S, RETRY_MAX_S = 5.0, 600.0
_MAX_DOUBLINGS = 20
_MADE = notices.c.message.is_not(None)


@dataclass(frozen=True, slots=True)
class Message:
    """What to tell by one way.

    Attributes:
        name: 32 hexadecimal digits, the same each time that it is tried.
        way: How.
        made_at: When it was made.
        attempts: Tries so far, this one included.
        violations: What it tells, in the order in which it was logged.
    """

    name: str
    way: Way
    made_at: datetime
    attempts: int
    violations: Sequence[Row]


def take(
    connection: Connection, way: Way, now: datetime, *, every: timedelta, lease: timedelta
) -> Message | None:
    """Return what is to be tried now, if anything; nobody else is given it during the lease.

    A lease that ran out belongs to somebody who was killed or frozen: it is tried again.
    """
    taking_turns(connection)
    mine = notices.c.way == way.value
    name = connection.scalar(select(notices.c.message).where(mine, UNTOLD, _MADE).limit(1))
    if name is None:
        name = _make(connection, way, now, every)
        if name is None:
            return None
    one = notices.c.message == name
    rows = connection.execute(select(notices).where(one).order_by(notices.c.id)).mappings().all()
    violations = [dict(row) for row in rows]
    made_at, attempts = violations[0]["made_at"], violations[0]["attempts"] + 1
    if made_at <= now < violations[0]["next_at"]:
        return None
    connection.execute(notices.update().where(one).values(next_at=now + lease, attempts=attempts))
    return Message(name, way, made_at, attempts, violations)


def taken(connection: Connection, message: Message, now: datetime) -> None:
    """Take note that a message arrived."""
    one = notices.c.message == message.name
    connection.execute(notices.update().where(one).values(sent_at=now, next_at=None))


def failed(
    connection: Connection, message: Message, now: datetime, give_up: timedelta
) -> datetime | None:
    """Take note that a try failed; return when the next one is due, or None if it is given up."""
    one = notices.c.message == message.name
    if now - message.made_at >= give_up:
        connection.execute(notices.update().where(one).values(given_up_at=now, next_at=None))
        return None
    next_at = now + timedelta(seconds=_wait_s(message.attempts))
    connection.execute(notices.update().where(one).values(next_at=next_at))
    return next_at


def _make(connection: Connection, way: Way, now: datetime, every: timedelta) -> str | None:
    """Put what waits into one message, unless the last one was made just now."""
    mine = notices.c.way == way.value
    waiting = (
        select(notices.c.id).where(mine, UNTOLD, ~_MADE).order_by(notices.c.id).limit(MOST_IN_ONE)
    )
    ids = connection.scalars(waiting).all()
    last = connection.scalar(select(func.max(notices.c.made_at)).where(mine)) if ids else None
    if not ids or (last is not None and last <= now < last + every):
        return None
    name = secrets.token_hex(16)
    connection.execute(
        notices.update().where(notices.c.id.in_(ids)).values(message=name, made_at=now, next_at=now)
    )
    return name


def _wait_s(attempts: int) -> float:
    wait_s = min(RETRY_MAX_S, RETRY_MIN_S * 2.0 ** min(attempts - 1, _MAX_DOUBLINGS))
    return wait_s * random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing
