"""Which severe violations people were told of, or are still to be told of."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, and_

from cleandesk_fleet.columns import Utc, of_box, row_id
from cleandesk_fleet.subscriber.tables import Id, metadata

#: One row for each violation and way. Rows of one message share its name, which is the key that
#: receivers know it by when it comes again.
notices = Table(
    "notices",
    metadata,
    row_id(),
    Column("way", String(16), nullable=False),
    *of_box(),
    Column("violation_id", Id, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("rule", Text, nullable=False),
    Column("class", Text, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("clock_synced", Boolean, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("message", Id),
    Column("made_at", Utc),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Utc),
    Column("sent_at", Utc),
    Column("given_up_at", Utc),
    UniqueConstraint("site", "box", "violation_id", "way"),
    Index("notices_made", "way", "made_at"),
    Index("notices_message", "message"),
    Index("notices_received", "received_at"),
)
UNTOLD = and_(notices.c.sent_at.is_(None), notices.c.given_up_at.is_(None))
Index("notices_untold", notices.c.way, notices.c.id, sqlite_where=UNTOLD, postgresql_where=UNTOLD)
