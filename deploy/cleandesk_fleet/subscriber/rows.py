"""Rows that a transaction reads, changes in memory and writes back at its end."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Table

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.database import bulk

Row = dict[str, Any]
Key = tuple[str, ...]


class Rows:
    """Some rows of one table by primary key, of which the first two columns are site and box.

    Args:
        connection: To the log, in a transaction.
        table: Where they are.
        keys: Whose to read; only these may be asked for.
    """

    def __init__(self, connection: Connection, table: Table, keys: Collection[Key]) -> None:
        self._connection = connection
        self._table = table
        self._names = [column.name for column in table.primary_key]
        self._rows: dict[Key, Row] = {}
        self._changed: set[Key] = set()
        columns = [column.name for column in table.columns]
        for row in bulk.find(connection, table, self._names, keys):
            values = dict(zip(columns, row, strict=True))
            self._rows[tuple(values[name] for name in self._names)] = values

    def get(self, key: Key) -> Row | None:
        """Return a row as it is now, or None if there is none."""
        return self._rows.get(key)

    def set(self, key: Key, values: Row) -> None:
        """Replace a row, or add it."""
        self._rows[key] = {**values, **dict(zip(self._names, key, strict=True))}
        self._changed.add(key)

    def save(self) -> None:
        """Write what was set, always in the order of the keys."""
        bulk.upsert(
            self._connection, self._table, [self._rows[key] for key in sorted(self._changed)]
        )
        self._changed.clear()


def box_key(address: Address, *below: str) -> Key:
    """Return a primary key that begins with a box."""
    return (address.site, address.box, *below)
