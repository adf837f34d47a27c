"""The tables of provisioning: sites, boxes, claims, certificates, operators, and who did what."""

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Table,
    Text,
    event,
)

from cleandesk_fleet.columns import Name, RowId, Utc, meta_table

#: Goes up with every change that older software cannot work with.
VERSION = 1

metadata = MetaData()

meta = meta_table(metadata)

sites = Table(
    "sites",
    metadata,
    Column("site", Name, primary_key=True),
    Column("added_at", Utc, nullable=False),
)

boxes = Table(
    "boxes",
    metadata,
    Column("site", Name, primary_key=True),
    Column("box", Name, primary_key=True),
    Column("state", String(16), nullable=False),
    # scrypt, as the worker's page reads it.
    Column("label", Text, nullable=False),
    Column("added_at", Utc, nullable=False),
    # From then on a renewal must bring a new key.
    Column("rotate_at", Utc),
    ForeignKeyConstraint(["site"], ["sites.site"]),
)

claims = Table(
    "claims",
    metadata,
    # SHA-256: a token has 192 random bits, which no dictionary holds.
    Column("token", String(64), primary_key=True),
    Column("site", Name, nullable=False),
    Column("box", Name, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    # Of the first request: from then on nobody else's.
    Column("key", String(64)),
    Column("serial", String(40)),
    Column("ended_at", Utc),
    ForeignKeyConstraint(["site", "box"], ["boxes.site", "boxes.box"]),
    Index("claims_box", "site", "box"),
)

#: Requests for a new key; open ones are gone on with.
rotations = Table(
    "rotations",
    metadata,
    # The request's correlation data: a box does it once.
    Column("correlation", String(32), primary_key=True),
    Column("site", Name, nullable=False),
    Column("box", Name, nullable=False),
    # As whoever asked names it; then it is done once, whoever repeats it.
    Column("request", Text),
    Column("asked_at", Utc, nullable=False),
    Column("ended_at", Utc),
    # Of the new certificate; none where the box said no.
    Column("serial", String(40)),
    ForeignKeyConstraint(["site", "box"], ["boxes.site", "boxes.box"]),
    Index("rotations_box", "site", "box"),
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", String(40), primary_key=True),
    Column("issuer", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    # SHA-256 of the public key.
    Column("key", String(64), nullable=False),
    Column("pem", Text, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("revoked_at", Utc),
    Column("reason", Text),
    # When its holder's connection was ended, after the certificate's end.
    Column("put_out_at", Utc),
    Index("certificates_name", "issuer", "name"),
    Index("certificates_ends", "ends_at"),
)

operators = Table(
    "operators",
    metadata,
    Column("name", Name, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("site", Name),
    Column("added_at", Utc, nullable=False),
    Column("removed_at", Utc),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Utc, nullable=False),
    Column("who", Text, nullable=False),
    Column("did", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("alarm", Boolean, nullable=False),
)
# The trail only grows; software that is wrong, or a hasty hand, cannot tidy it.
for _verb in ("UPDATE", "DELETE"):
    event.listen(
        audit,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER audit_no_{_verb.lower()} BEFORE {_verb} ON audit BEGIN "
            "SELECT RAISE(ABORT, 'the audit trail only grows'); END"
        ),
    )
