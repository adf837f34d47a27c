"""How a log fails: for good, with a fix, or for a while."""

from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError


class DatabaseUnusableError(Exception):
    """The log cannot be opened; the text says why and what to do."""


def will_pass(error: DatabaseError | InterfaceError) -> bool:
    """Say whether a failure is the database's (locked, full, away), not the statement's."""
    return isinstance(error, OperationalError) or error.connection_invalidated
