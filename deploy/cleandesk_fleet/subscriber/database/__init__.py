"""Where the log is kept: a SQLite file, or a database of a PostgreSQL server."""

from cleandesk_fleet.subscriber.database.errors import DatabaseUnusableError, will_pass
from cleandesk_fleet.subscriber.database.opening import (
    Place,
    open_reader,
    open_writer,
    place_of,
    sole_writer,
)

__all__ = [
    "DatabaseUnusableError",
    "Place",
    "open_reader",
    "open_writer",
    "place_of",
    "sole_writer",
    "will_pass",
]
