"""The trail of who did what, the newest line first."""

from typing import Any

from sqlalchemy import Connection, select

from cleandesk_fleet.web.audit import Action
from cleandesk_fleet.web.queries.paging import Page, cut, decode
from cleandesk_fleet.web.tables import audit

SHOWN = 100


def page(
    connection: Connection,
    account: str | None,
    action: Action | None,
    after: str | None = None,
    size: int = SHOWN,
) -> Page[dict[str, Any]]:
    """Return lines of the trail.

    Raises:
        NotFoundError: If `after` is no key.
    """
    statement = select(audit).order_by(audit.c.id.desc()).limit(size + 1)
    if account is not None:
        statement = statement.where(audit.c.account == account)
    if action is not None:
        statement = statement.where(audit.c.action == action.value)
    if after is not None:
        (before,) = decode(after, int)
        statement = statement.where(audit.c.id < before)
    rows = [row._asdict() for row in connection.execute(statement)]
    return cut(rows, size, [rows[:size][-1]["id"]] if rows else ())
