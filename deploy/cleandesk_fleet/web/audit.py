"""Who did what: written in the transaction of what was done, or before it."""

import os
import pwd
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, and_, func

from cleandesk_fleet.web.tables import audit

#: The command line has no account of its own.
COMMAND_LINE = "(command line)"
#: What is not told otherwise is kept so long.
KEEP_DAYS = 365


class Action(StrEnum):
    """What is worth a line in the trail."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    STILL_VIEWED = "still_viewed"
    STILL_EXPORTED = "still_exported"
    EXPORTED = "exported"
    DECIDED = "decided"
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_REMOVED = "account_removed"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    ROLE_CHANGED = "role_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an action's name


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who does something.

    Attributes:
        account: Their name.
        via: `local`, `proxy` or `command`: how they were let in.
        address: Where they asked from, if that is known.
    """

    account: str
    via: str
    address: str | None = None


def by_command_line() -> Actor:
    """Return whoever runs this command: the system's user, whatever the environment says."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    return Actor(f"{COMMAND_LINE} {name}", "command")


@dataclass(frozen=True, slots=True)
class Subject:
    """What something was done to."""

    name: str | None = None
    site: str | None = None
    box: str | None = None


NOTHING = Subject()


class Trail:
    """Writes lines of the trail.

    Args:
        keep: For so long a line stays.
    """

    def __init__(self, keep: timedelta) -> None:
        self._keep = keep

    def enter(
        self,
        connection: Connection,
        now: datetime,
        actor: Actor,
        action: Action,
        *,
        subject: Subject = NOTHING,
        detail: str | None = None,
    ) -> None:
        """Write one; it counts with the transaction's commit."""
        connection.execute(
            audit.insert().values(
                at=now,
                delete_at=now + self._keep,
                account=actor.account,
                via=actor.via,
                address=actor.address,
                action=action.value,
                site=subject.site,
                box=subject.box,
                subject=subject.name,
                detail=detail,
            )
        )


def delete_due(connection: Connection, now: datetime) -> int:
    """Delete what had its time; return how many lines there were.

    A server lets nothing go before its time by its own clock, and one line too many would keep all
    of them. In SQLite's file it is this machine's clock either way.
    """
    due = audit.c.delete_at <= now
    if connection.dialect.name == "postgresql":
        due = and_(due, audit.c.delete_at <= func.now())
    return connection.execute(audit.delete().where(due)).rowcount
