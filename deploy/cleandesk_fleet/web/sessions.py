"""Sessions: who signed in, for how long, and what ends it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import accounts, devices, sessions
from cleandesk_fleet.web.tokens import digest, fresh

#: Not used for so long: it ends.
IDLE = timedelta(hours=2)
#: It ends then in any case: a working day.
LONGEST = timedelta(hours=12)
#: Use is written down no more often.
NOTED_EVERY = timedelta(minutes=5)
#: So many devices of an account are known, the latest ones.
MOST_DEVICES = 8


@dataclass(frozen=True, slots=True)
class Session:
    """A session of an account.

    Attributes:
        digest: Of the cookie's token.
        form: What each form to this reader carries.
        noted: When use was written down last.
    """

    digest: str
    account: str
    role: Role
    form: str
    noted: datetime


def begin(connection: Connection, now: datetime, account: str) -> str:
    """Begin a session; returns the token for the cookie, which is kept nowhere."""
    drop_ended(connection, now)
    token = fresh()
    connection.execute(
        sessions.insert().values(
            digest=digest(token), account=account, form=fresh(), began_at=now, seen_at=now
        )
    )
    return token


def find(connection: Connection, now: datetime, token: str | None) -> Session | None:
    """Return the session of a cookie, if it has not ended and its account may sign in."""
    if not token:
        return None
    statement = (
        select(sessions, accounts.c.role)
        .join(accounts, accounts.c.name == sessions.c.account)
        .where(sessions.c.digest == digest(token), accounts.c.disabled.is_(False))
    )
    row = connection.execute(statement).first()
    if row is None or now - row.began_at > LONGEST or now - row.seen_at > IDLE:
        return None
    return Session(row.digest, row.account, Role(row.role), row.form, row.seen_at)


def note(connection: Connection, now: datetime, session: Session) -> None:
    """Take note that a session was used."""
    connection.execute(
        sessions.update().where(sessions.c.digest == session.digest).values(seen_at=now)
    )


def end(connection: Connection, session: Session) -> None:
    """End one."""
    connection.execute(sessions.delete().where(sessions.c.digest == session.digest))


def drop_ended(connection: Connection, now: datetime) -> None:
    """Delete what is left of sessions that ended by themselves."""
    ended = or_(sessions.c.seen_at < now - IDLE, sessions.c.began_at < now - LONGEST)
    connection.execute(sessions.delete().where(ended))


def device_of(connection: Connection, token: str | None, account: str) -> str | None:
    """Return the name of a cookie's device, if this account signed in on it before."""
    if not token:
        return None
    statement = select(devices.c.digest).where(
        devices.c.digest == digest(token), devices.c.account == account
    )
    return connection.scalar(statement)


def remember_device(
    connection: Connection, now: datetime, account: str, token: str | None = None
) -> str:
    """Know a device from now on; returns its cookie's token, the one that it has if any."""
    known = device_of(connection, token, account)
    if token is None or known is None:
        token = fresh()
        connection.execute(
            devices.insert().values(digest=digest(token), account=account, seen_at=now)
        )
    else:
        connection.execute(devices.update().where(devices.c.digest == known).values(seen_at=now))
    latest = (
        select(devices.c.digest)
        .where(devices.c.account == account)
        .order_by(devices.c.seen_at.desc())
        .limit(MOST_DEVICES)
    )
    connection.execute(
        devices.delete().where(
            devices.c.account == account, devices.c.digest.not_in(latest.scalar_subquery())
        )
    )
    return token
