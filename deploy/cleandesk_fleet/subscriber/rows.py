"""Rows that a transaction reads, changes in memory and writes back at its end."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, select

from cleandesk.contract.topics import Address

Row = dict[str, Any]
Key = tuple[str, ...]
#: Parameters of one statement; SQLite's limit is 32,766, older ones' 999.
_MOST_PARAMETERS = 400


class Rows:
    """Some rows of one table by primary key, of which the first two columns are site and box."""

    def __init__(self, connection: Connection, table: Table, keys: Collection[Key]) -> None:
        self._connection = connection
        self._table = table
        self._names = [column.name for column in table.primary_key]
        self._found: dict[Key, Row] = {}
        self._new: dict[Key, Row] = {}
        self._changed: dict[Key, Row] = {}
        last = table.c[self._names[-1]]
        wanted = list({key[-1] for key in keys})
        sites = list({key[0] for key in keys})
        for start in range(0, len(wanted), _MOST_PARAMETERS):
            chunk = last.in_(wanted[start : start + _MOST_PARAMETERS])
            for row in connection.execute(select(table).where(table.c.site.in_(sites), chunk)):
                values = dict(row._mapping)  # noqa: SLF001 - public by SQLAlchemy's documentation
                self._found[tuple(values[name] for name in self._names)] = values

    def get(self, key: Key) -> Row | None:
        """Return a row as it is now, or None if there is none."""
        return self._changed.get(key) or self._new.get(key) or self._found.get(key)

    def set(self, key: Key, values: Row) -> None:
        """Replace a row, or add it."""
        values = {**values, **dict(zip(self._names, key, strict=True))}
        (self._changed if key in self._found else self._new)[key] = values

    def save(self) -> None:
        """Write what was set."""
        if self._new:
            self._connection.execute(self._table.insert(), list(self._new.values()))
        if self._changed:
            # A bind parameter must not be called like a column that is set.
            which = and_(*(self._table.c[name] == bindparam(f"key_{name}") for name in self._names))
            rest = [column.name for column in self._table.columns if not column.primary_key]
            statement = (
                self._table.update()
                .where(which)
                .values({name: bindparam(f"new_{name}") for name in rest})
            )
            self._connection.execute(
                statement,
                [
                    {f"key_{name}": row[name] for name in self._names}
                    | {f"new_{name}": row[name] for name in rest}
                    for row in self._changed.values()
                ],
            )


def box_key(address: Address, *below: str) -> Key:
    """Return a primary key that begins with a box."""
    return (address.site, address.box, *below)
