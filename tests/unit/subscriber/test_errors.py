"""Whose a failure is: the database's, which passes, or that of what is to be logged."""

import psycopg.errors
import pytest
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, OperationalError

from cleandesk_fleet.subscriber.database import is_of_the_rows


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (DataError("COPY", None, psycopg.errors.NumericValueOutOfRange()), True),
        (IntegrityError("COPY", None, psycopg.errors.NotNullViolation()), True),
        (OperationalError("COPY", None, psycopg.errors.ProgramLimitExceeded()), True),
        (IntegrityError("COPY", None, psycopg.errors.CheckViolation()), False),
        (OperationalError("COPY", None, psycopg.errors.DiskFull()), False),
        (OperationalError("COPY", None, psycopg.errors.LockNotAvailable()), False),
        (DatabaseError("COPY", None, psycopg.errors.IndexCorrupted()), False),
        (DatabaseError("COPY", None, psycopg.errors.InsufficientPrivilege()), False),
        (DatabaseError("COPY", None, psycopg.errors.UndefinedTable()), False),
    ],
)
def test_only_what_stands_in_a_row_is_blamed_on_it(error: DBAPIError, *, blamed: bool) -> None:
    assert is_of_the_rows(error) is blamed
