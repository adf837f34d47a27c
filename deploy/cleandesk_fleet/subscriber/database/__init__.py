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
from cleandesk_fleet.subscriber.database.postgresql import (
    MOST_SKEW,
    end_frozen,
    leads,
    skew,
    taking_turns,
)

__all__ = [
    "MOST_SKEW",
    "DatabaseUnusableError",
    "Place",
    "end_frozen",
    "leads",
    "make_ahead",
    "open_beside",
    "open_reader",
    "open_writer",
    "place_of",
    "skew",
    "sole_writer",
    "taking_turns",
    "will_pass",
]
