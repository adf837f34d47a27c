"""The page for ops: its filters' indices, its accounts, decisions about appeals, and its trail."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"

_Utc = sa.DateTime(timezone=True)
_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Name = sa.String(64)
#: What only grows: a row goes when its time is over, and is never changed.
_FIXED = {
    "audit": ("old.delete_at > strftime('%Y-%m-%d %H:%M:%f', 'now')", "OLD.delete_at > now()"),
    "decisions": (
        "EXISTS (SELECT 1 FROM appeals WHERE appeal_id = old.appeal_id)",
        "EXISTS (SELECT FROM appeals WHERE appeal_id = OLD.appeal_id)",
    ),
}


def upgrade() -> None:
    """Add."""
    _indices()
    _accounts()
    _decisions()
    _audit()
    if op.get_context().dialect.name == "postgresql":
        _fix_on_postgresql()
    else:
        _fix_on_sqlite()


def _indices() -> None:
    for name, columns in (
        ("violations_of_site", ["site", "opened_at"]),
        ("violations_of_box", ["site", "box", "opened_at"]),
        ("violations_class", ["class", "opened_at"]),
        ("violations_rule", ["rule", "opened_at"]),
        ("violations_severity", ["severity", "opened_at"]),
    ):
        op.create_index(name, "violations", columns)
    closes = sa.text("phase = 'close'")
    op.create_index(
        "events_closed",
        "events",
        ["at", "class", "model"],
        sqlite_where=closes,
        postgresql_where=closes,
    )
    op.create_index("alarms_box_opened", "alarms", ["site", "box", "opened_at"])


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", _Name, primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("created_at", _Utc, nullable=False),
        sa.Column("password_at", _Utc, nullable=False),
        sa.Column("seen_at", _Utc),
    )
    op.create_table(
        "account_sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("account", _Name, nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("began_at", _Utc, nullable=False),
        sa.Column("seen_at", _Utc, nullable=False),
    )
    op.create_index("account_sessions_account", "account_sessions", ["account"])
    op.create_table(
        "account_devices",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("account", _Name, nullable=False),
        sa.Column("seen_at", _Utc, nullable=False),
    )
    op.create_index("account_devices_account", "account_devices", ["account"])


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("appeal_id", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("at", _Utc, nullable=False),
    )
    op.create_index("decisions_appeal", "decisions", ["appeal_id"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _RowId, primary_key=True, autoincrement=True),
        sa.Column("at", _Utc, nullable=False),
        sa.Column("delete_at", _Utc, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("via", sa.String(16), nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("action", sa.String(24), nullable=False),
        sa.Column("site", _Name),
        sa.Column("box", _Name),
        sa.Column("subject", sa.Text),
        sa.Column("detail", sa.Text),
    )
    op.create_index("audit_account", "audit", ["account"])
    op.create_index("audit_delete", "audit", ["delete_at"])


def _fix_on_sqlite() -> None:
    for table, (stays, _) in _FIXED.items():
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN {stays} "
            f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
        )
    op.execute(
        "CREATE TRIGGER decisions_go AFTER DELETE ON appeals "
        "BEGIN DELETE FROM decisions WHERE appeal_id = old.appeal_id; END"
    )


def _fix_on_postgresql() -> None:
    for table, (_, stays) in _FIXED.items():
        op.execute(
            f"CREATE FUNCTION {table}_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' OR {stays} THEN RAISE EXCEPTION '{table} only grows'; END IF; "
            "RETURN OLD; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_only_grows()"
        )
    op.execute(
        "CREATE FUNCTION decisions_go() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "DELETE FROM decisions WHERE appeal_id = OLD.appeal_id; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER decisions_go AFTER DELETE ON appeals "
        "FOR EACH ROW EXECUTE FUNCTION decisions_go()"
    )
