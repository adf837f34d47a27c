"""How a log fails: for good, with a fix, or for a while; or by what it is given."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

#: PostgreSQL's class of errors "program limit exceeded": a text is too long for an index, say.
_LIMITS = "54"
#: A check is violated. No table of ours has one: there is no partition for an event.
_NO_PARTITION = "23514"


class DatabaseUnusableError(Exception):
    """The log cannot be opened; the text says why and what to do."""


def reason_of(error: Exception) -> str:
    """Return why something failed, for people: without the statement and its parameters."""
    return str(getattr(error, "orig", error)).strip()


def is_of_the_rows(error: DBAPIError) -> bool:
    """Say whether the database does not take a row because of what stands in it.

    Whatever else fails is the database's: locked, full, away, damaged, or closed to this user.
    Nothing that is to be logged may be blamed for that.
    """
    if error.connection_invalidated:
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == _NO_PARTITION:
        return False
    return isinstance(error, DataError | IntegrityError) or state.startswith(_LIMITS)
