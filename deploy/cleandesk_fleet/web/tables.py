"""The page's own tables, in the log's database: accounts, decisions, and who did what."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from cleandesk_fleet.columns import Name, Utc, of_box, row_id
from cleandesk_fleet.subscriber.tables import Id, metadata

Digest = String(64)

accounts = Table(
    "accounts",
    metadata,
    Column("name", Name, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("password_at", Utc, nullable=False),
    Column("seen_at", Utc),
)

sessions = Table(
    "account_sessions",
    metadata,
    Column("digest", Digest, primary_key=True),
    Column("account", Name, nullable=False),
    Column("form", String(64), nullable=False),
    Column("began_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Index("account_sessions_account", "account"),
)

devices = Table(
    "account_devices",
    metadata,
    Column("digest", Digest, primary_key=True),
    Column("account", Name, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Index("account_devices_account", "account"),
)

#: What people decided about appeals; the newest one counts. The database lets nobody change it.
decisions = Table(
    "decisions",
    metadata,
    row_id(),
    Column("appeal_id", Id, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Index("decisions_appeal", "appeal_id"),
)

#: Who did what. The database lets nobody change it, or shorten it before its time.
audit = Table(
    "audit",
    metadata,
    row_id(),
    Column("at", Utc, nullable=False),
    Column("delete_at", Utc, nullable=False),
    Column("account", Text, nullable=False),
    Column("via", String(16), nullable=False),
    Column("address", Text),
    Column("action", String(24), nullable=False),
    *of_box(nullable=True),
    Column("subject", Text),
    Column("detail", Text),
    Index("audit_account", "account"),
    Index("audit_delete", "delete_at"),
)
