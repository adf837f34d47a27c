"""What a damaged table still gives."""

import sqlite3
from collections.abc import Iterator

_MAX_PROBES = 1_000_000
Row = tuple[object, ...]


def readable_rows(db: sqlite3.Connection, select: str, key: str, last: int) -> Iterator[Row]:
    """Yield rows around damaged pages: from the front, from the back, then one by one between.

    Args:
        db: The file.
        select: What to read, without WHERE and ORDER BY; its first column is the key.
        key: The table's INTEGER PRIMARY KEY.
        last: The highest key that was given out, as far as is known.
    """
    front = list(_until_damage(db, f"{select} ORDER BY {key}"))
    back = list(_until_damage(db, f"{select} ORDER BY {key} DESC"))
    rows = {row[0]: row for row in [*front, *back] if isinstance(row[0], int)}
    low = max((row[0] for row in front if isinstance(row[0], int)), default=0)
    high = min((row[0] for row in back if isinstance(row[0], int)), default=last + 1)
    for id_ in range(low + 1, min(high, low + _MAX_PROBES)):
        one = f"{select} WHERE {key} = {id_}"
        rows.update((row[0], row) for row in _until_damage(db, one) if row[0] == id_)
    yield from (rows[id_] for id_ in sorted(rows))


def _until_damage(db: sqlite3.Connection, query: str) -> Iterator[Row]:
    try:
        yield from db.execute(query)
    except sqlite3.Error:
        return  # the callers come from the other side, and count what nobody reached
