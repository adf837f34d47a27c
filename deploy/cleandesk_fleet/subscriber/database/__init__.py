"""Where the log is kept: a SQLite file, or a database of a PostgreSQL server."""

from cleandesk_fleet.subscriber.database.errors import DatabaseUnusableError, will_pass
from cleandesk_fleet.subscriber.database.opening import (
    Place,
    open_beside,
    open_reader,
    open_writer,
    place_of,
    sole_writer,
)
from cleandesk_fleet.subscriber.database.partitions import make_ahead
from cleandesk_fleet.subscriber.database.postgresql import leads

__all__ = [
    "DatabaseUnusableError",
    "Place",
    "leads",
    "make_ahead",
    "open_beside",
    "open_reader",
    "open_writer",
    "place_of",
    "sole_writer",
    "will_pass",
]
