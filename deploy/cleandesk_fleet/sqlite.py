"""SQLite as every database of the fleet uses it."""

import sqlite3

from sqlalchemy import Connection, Engine, event


def explicit_transactions(engine: Engine, begin: str) -> None:
    """Let SQLAlchemy begin transactions, not sqlite3, which begins them too late.

    Args:
        engine: The database.
        begin: The statement to do so. A writer that begins as a reader can fail half-way when
            somebody else writes: `BEGIN IMMEDIATE`.
    """

    @event.listens_for(engine, "connect")
    def _no_implicit_begin(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
