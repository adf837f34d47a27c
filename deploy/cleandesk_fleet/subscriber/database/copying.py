"""Many rows into PostgreSQL in one go: COPY for events, one JSON text for whatever changes."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, OperationalError

from cleandesk_fleet.subscriber.database import partitions

Values = dict[str, Any]

_ERRORS: dict[type[psycopg.Error], type[DBAPIError]] = {
    psycopg.OperationalError: OperationalError,
    psycopg.IntegrityError: IntegrityError,
    psycopg.DataError: DataError,
    psycopg.Error: DatabaseError,
}


def insert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows; raise if one is there already."""
    if table.name == partitions.EVENTS:
        _copy_events(connection, rows)
    else:
        connection.exec_driver_sql(_insert(table, tuple(rows[0])), (_json(rows),))


def upsert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows, or replace those with the same primary key."""
    connection.exec_driver_sql(_upsert(table, tuple(rows[0])), (_json(rows),))


def _copy_events(connection: Connection, rows: Sequence[Values]) -> None:
    """Add events, each to its month's partition.

    Errors of the driver become SQLAlchemy's, as for all other statements.
    """
    months = {partitions.month_of(row["received_at"]) for row in rows}
    partitions.make(connection, months)
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError(f"{raw!r} is no connection of psycopg")
    try:
        with raw.cursor() as cursor, cursor.copy(_copy_of(tuple(rows[0]))) as copy:
            for row in rows:
                copy.write_row((*row.values(), partitions.month_of(row["received_at"])))
    except psycopg.Error as error:
        # Another subscriber may have dropped one that we know of.
        partitions.forget(connection)
        ours = next(ours for theirs, ours in _ERRORS.items() if isinstance(error, theirs))
        raise ours("COPY events", None, error) from error


@lru_cache
def _copy_of(names: tuple[str, ...]) -> bytes:
    columns = sql.SQL(", ").join(map(sql.Identifier, (*names, partitions.MONTH)))
    statement = sql.SQL("COPY {} ({}) FROM STDIN")
    return statement.format(sql.Identifier(partitions.EVENTS), columns).as_bytes()


@lru_cache
def _insert(table: Table, names: tuple[str, ...]) -> str:
    target, columns = sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    # The text is read by the types of the table's columns.
    statement = sql.SQL(
        "INSERT INTO {0} ({1}) SELECT {1} FROM json_populate_recordset(NULL::{0}, %s)"
    )
    return statement.format(target, columns).as_string()


@lru_cache
def _upsert(table: Table, names: tuple[str, ...]) -> str:
    key = [column.name for column in table.primary_key]
    rest = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name))
        for name in names
        if name not in key
    )
    conflict = sql.SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(
        sql.SQL(", ").join(map(sql.Identifier, key)), rest
    )
    return _insert(table, names) + conflict.as_string()


def _json(rows: Sequence[Values]) -> str:
    return json.dumps(rows, default=_text)


def _text(value: object) -> str:
    """Write what JSON has no way to write as PostgreSQL reads it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{value!r} has no place in a row")
