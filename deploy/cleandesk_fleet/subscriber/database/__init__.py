"""Where the log is kept: a SQLite file, or a database of a PostgreSQL server."""

from cleandesk_fleet.subscriber.database.agreement import Deletion
from cleandesk_fleet.subscriber.database.errors import (
    DatabaseUnusableError,
    is_of_the_rows,
    reason_of,
)
from cleandesk_fleet.subscriber.database.locks import (
    keeps_house,
    leads,
    still_keeps_house,
    still_leads,
    taking_turns,
)
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
    FROZEN_S,
    MOST_SKEW,
    end_frozen,
    skew,
)

__all__ = [
    "FROZEN_S",
    "MOST_SKEW",
    "DatabaseUnusableError",
    "Deletion",
    "Place",
    "end_frozen",
    "is_of_the_rows",
    "keeps_house",
    "leads",
    "make_ahead",
    "open_beside",
    "open_reader",
    "open_writer",
    "place_of",
    "reason_of",
    "skew",
    "sole_writer",
    "still_keeps_house",
    "still_leads",
    "taking_turns",
]
