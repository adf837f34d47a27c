"""The log as the page uses it: reads that end in time, and short writes of its own."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from cleandesk_fleet.subscriber.database import Place, open_beside, open_reader
from cleandesk_fleet.web.errors import TooSlowError

#: Nobody waits longer for a page, and a query that does would keep others waiting.
PATIENCE_S = 10.0
#: SQLite asks whether to go on after so many of its instructions.
_STEPS = 20_000
_CANCELLED = "57014"  # PostgreSQL's query_canceled


class Store:
    """Two ways into one database: for reading only, and for the page's own tables.

    Args:
        place: Where the log is.
        patience_s: Queries end after so long.

    Raises:
        DatabaseUnusableError: If there is no log of this version.
    """

    def __init__(self, place: Place, *, patience_s: float = PATIENCE_S) -> None:
        self._reader: Engine = open_reader(place)
        self._writer: Engine = open_beside(place)
        self._patience_s = patience_s

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one moment of the log.

        Raises:
            TooSlowError: If a query takes too long.
        """
        with self._reader.connect() as connection:
            self._limit(connection)
            try:
                yield connection
            except OperationalError as error:
                if _cut_short(error):
                    raise TooSlowError from error
                raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose work is committed at the end, and on the disk then."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self._reader.dispose()
        self._writer.dispose()

    def _limit(self, connection: Connection) -> None:
        raw = connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            ends = time.monotonic() + self._patience_s
            raw.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        else:
            limit_ms = int(self._patience_s * 1000)
            connection.execute(text(f"SET LOCAL statement_timeout = {limit_ms}"))


def _cut_short(error: OperationalError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state == _CANCELLED or str(error.orig) == "interrupted"
