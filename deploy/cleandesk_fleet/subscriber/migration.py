"""How a log of an older version becomes one of this: only by adding."""

from sqlalchemy import Connection, select
from sqlalchemy.schema import CreateColumn

from cleandesk_fleet.subscriber.tables import (
    VERSION,
    appeals,
    boxes,
    deleted_stills,
    meta,
    stills,
)

_BEFORE_APPEALS = "1"
_NEW_COLUMNS = ("privacy_until", "privacy_beyond", "idle", "idle_since", "idle_at")


def migrate(connection: Connection) -> None:
    """Bring the tables up to date; the transaction is the caller's."""
    found = connection.scalar(select(meta.c.value).where(meta.c.name == "schema"))
    if found != _BEFORE_APPEALS:
        return
    for table in (appeals, stills, deleted_stills):
        table.create(connection)
    for name in _NEW_COLUMNS:
        column = CreateColumn(boxes.c[name]).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {boxes.name} ADD COLUMN {column}")
    connection.execute(meta.update().where(meta.c.name == "schema").values(value=str(VERSION)))
