"""Many rows into PostgreSQL: COPY into a staging table, from there in one statement."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from cleandesk_fleet.subscriber.database import partitions
from cleandesk_fleet.subscriber.tables import (
    appeals,
    boxes,
    epochs,
    events,
    gaps,
    losses,
    stills,
    violations,
)

Values = dict[str, Any]
_STAGED = (appeals, boxes, epochs, events, gaps, losses, stills, violations)


def insert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows; raise if one is there already."""
    names = list(rows[0])
    target, stage, columns = _names(table, names)
    if table.name == partitions.EVENTS:
        partitions.make(connection, {partitions.month_of(row["received_at"]) for row in rows})
        statement = sql.SQL(
            "INSERT INTO {} ({}, month) "
            "SELECT {}, date_trunc('month', received_at)::date FROM {} ON CONFLICT DO NOTHING"
        ).format(target, columns, columns, stage)
    else:
        statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT DO NOTHING").format(
            target, columns, columns, stage
        )
    with _staged(connection, table, names, rows) as cursor:
        taken = cursor.execute(statement).rowcount
    if taken != len(rows):
        reason = f"{len(rows) - taken} of {len(rows)} rows are there already"
        raise IntegrityError(f"INSERT INTO {table.name}", None, ValueError(reason))


def upsert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows, or replace those with the same primary key."""
    names = list(rows[0])
    key = [column.name for column in table.primary_key]
    target, stage, columns = _names(table, names)
    rest = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name))
        for name in names
        if name not in key
    )
    statement = sql.SQL(
        "INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) DO UPDATE SET {}"
    ).format(target, columns, columns, stage, sql.SQL(", ").join(map(sql.Identifier, key)), rest)
    with _staged(connection, table, names, rows) as cursor:
        cursor.execute(statement)


def _names(
    table: Table, names: Sequence[str]
) -> tuple[sql.Identifier, sql.Identifier, sql.Composed]:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.Identifier(table.name), sql.Identifier("pg_temp", f"stage_{table.name}"), columns


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Make a new connection's staging tables, which are empty after each commit."""
    for table in _STAGED:
        names = [column.name for column in table.columns if column.autoincrement is not True]
        target, stage, columns = _names(table, names)
        connection.execute(
            sql.SQL(
                "CREATE TEMP TABLE {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA"
            ).format(stage, columns, target)
        )
    connection.commit()


@contextmanager
def _staged(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Values]
) -> Iterator[psycopg.Cursor[Any]]:
    """Yield a cursor, with the rows in the staging table: once for each table and transaction.

    Errors of the driver become SQLAlchemy's, as for all other statements.
    """
    _, stage, columns = _names(table, names)
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError(f"{raw!r} is no connection of psycopg")
    try:
        with raw.cursor() as cursor:
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(stage, columns)) as copy:
                for row in rows:
                    copy.write_row([row[name] for name in names])
            yield cursor
    except psycopg.OperationalError as error:
        raise OperationalError(f"COPY {table.name}", None, error) from error
    except psycopg.IntegrityError as error:
        raise IntegrityError(f"COPY {table.name}", None, error) from error
    except psycopg.Error as error:
        raise ProgrammingError(f"COPY {table.name}", None, error) from error
