"""What decides about deletion: one value of each for all who write a log, which keeps them.

Whoever holds the lock deletes for all, so it must not matter who that is.
"""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, select

from cleandesk_fleet.subscriber.database.errors import DatabaseUnusableError
from cleandesk_fleet.subscriber.tables import meta

#: Values by the settings' names; None: nothing is deleted by it.
Deletion = Mapping[str, float | None]
#: Their name in `meta`.
DELETION = "deletion"


def agree(connection: Connection, ours: Deletion, place: str, *, alone: bool) -> None:
    """Keep our values, if nobody else writes by others; the transaction is the caller's.

    Args:
        connection: In which nobody else can come to write the log.
        ours: What our settings say.
        place: Of the log, for people.
        alone: Whether nobody else writes it.

    Raises:
        DatabaseUnusableError: If somebody writes it by other values.
    """
    mine = meta.c.name == DELETION
    found = connection.scalar(select(meta.c.value).where(mine))
    text = json.dumps(dict(ours), sort_keys=True)
    if found is None:
        connection.execute(meta.insert().values(name=DELETION, value=text))
    elif alone:
        connection.execute(meta.update().where(mine).values(value=text))
    else:
        must_agree(found, ours, place)


def must_agree(found: str | None, ours: Deletion | None, place: str) -> None:
    """See that a log is written by our values.

    Args:
        found: What its table `meta` has.
        ours: What our settings say; None: we delete nothing.
        place: Of the log, for people.

    Raises:
        DatabaseUnusableError: If it is written by others; the text says by which, and what to do.
    """
    if found is None or ours is None:
        return
    theirs: Deletion = json.loads(found)
    differ = [name for name in ours if ours[name] != theirs.get(name)]
    if differ:
        values = "; ".join(
            f"{name} is {_said(theirs.get(name))} there and {_said(ours[name])} here"
            for name in differ
        )
        raise DatabaseUnusableError(
            f"{place}: others write this log, and each may come to delete for all: {values}: give "
            "all of them the same value, or stop all of them, then start them anew"
        )


def _said(value: float | None) -> str:
    return "not set" if value is None else f"{value:.15g}"
