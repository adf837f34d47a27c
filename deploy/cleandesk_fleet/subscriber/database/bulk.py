"""Many rows at once, by key, in and out: the one place where the dialects of SQL differ."""

import importlib
import json
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Row,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.selectable import FromClause

Values = dict[str, Any]
Key = tuple[str, ...]


def find(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    keys: Collection[Key],
    *,
    columns: Sequence[str] = (),
    where: ColumnElement[bool] | None = None,
) -> Iterator[Row[Any]]:
    """Yield the rows with these keys; an index must begin with the key's columns.

    Args:
        connection: To the log.
        table: What to read.
        names: The columns of the key.
        keys: One value for each of them.
        columns: What to return; all of them by default.
        where: What else must be so.
    """
    if not keys:
        return iter(())
    copies, named = _copies(connection), tuple(names)
    statement = _select(table, named, tuple(columns), where, copies=copies)
    return iter(connection.execute(statement, _parameters(named, keys, copies=copies)).all())


def lock(connection: Connection, table: Table, names: Sequence[str], keys: Collection[Key]) -> None:
    """Keep others from changing the rows with these keys until the commit.

    In an order in which two who do so never wait for one another. SQLite's writers exclude each
    other anyway.
    """
    if keys and _copies(connection):
        named = tuple(names)
        connection.execute(_lock(table, named), _parameters(named, keys, copies=True))


def insert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows.

    Raises:
        IntegrityError: If one is there already.
    """
    if not rows:
        return
    if _copies(connection):
        _copying().insert(connection, table, rows)
    else:
        connection.execute(table.insert(), list(rows))


def add(connection: Connection, table: Table, row: Values) -> bool:
    """Add one row; say whether it was not there already, as another writer may have added it."""
    dialect_insert = postgresql_insert if _copies(connection) else sqlite_insert
    statement = dialect_insert(table).values(row).on_conflict_do_nothing()
    added = connection.execute(statement.returning(*table.primary_key))
    return added.first() is not None


def add_new(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows, but for those that are there already, by whatever of them must be unique."""
    if rows:
        dialect_insert = postgresql_insert if _copies(connection) else sqlite_insert
        connection.execute(dialect_insert(table).on_conflict_do_nothing(), list(rows))


def add_or_count(
    connection: Connection,
    table: Table,
    rows: Sequence[Values],
    *,
    by: Sequence[str],
    count: str,
    latest: str,
) -> None:
    """Add rows; of those that are there already add one column up, and renew another.

    Args:
        connection: To the log.
        table: Where they belong.
        rows: All with the same columns.
        by: What makes two of them the same.
        count: The column that is added up.
        latest: The one that is renewed.
    """
    if not rows:
        return
    statement = (postgresql_insert if _copies(connection) else sqlite_insert)(table)
    new = {count: table.c[count] + statement.excluded[count], latest: statement.excluded[latest]}
    connection.execute(statement.on_conflict_do_update(index_elements=by, set_=new), list(rows))


def upsert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows, or replace those with the same primary key. All have the same columns."""
    if not rows:
        return
    if _copies(connection):
        _copying().upsert(connection, table, rows)
        return
    statement = sqlite_insert(table)
    names = [column.name for column in table.primary_key]
    rest = {name: statement.excluded[name] for name in rows[0] if name not in names}
    connection.execute(statement.on_conflict_do_update(index_elements=names, set_=rest), list(rows))


def add_missing(connection: Connection, table: Table, keys: Collection[Key]) -> None:
    """Add rows with nothing but their primary key, where there are none."""
    if not keys:
        return
    names = tuple(column.name for column in table.primary_key)
    if _copies(connection):
        wanted, _ = _wanted(table, names, copies=True)
        rows = postgresql_insert(table).from_select(names, select(wanted))
        parameters = _parameters(names, sorted(keys), copies=True)
        connection.execute(rows.on_conflict_do_nothing(), parameters)
    else:
        new = [dict(zip(names, key, strict=True)) for key in keys]
        connection.execute(sqlite_insert(table).on_conflict_do_nothing(), new)


def update(
    connection: Connection, table: Table, names: Sequence[str], keys: Collection[Key], **to: Any
) -> None:
    """Set the same values in all rows with these keys."""
    if keys:
        copies, named = _copies(connection), tuple(names)
        values = {f"to_{name}": value for name, value in to.items()}
        parameters = _parameters(named, keys, copies=copies) | values
        connection.execute(_update(table, named, tuple(to), copies=copies), parameters)


def delete(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    keys: Collection[Key],
    *,
    where: ColumnElement[bool],
    **values: Any,
) -> int:
    """Delete the rows with these keys of which `where` holds; return how many there were.

    `values` are the parameters of `where`.
    """
    if not keys:
        return 0
    copies, named = _copies(connection), tuple(names)
    parameters = _parameters(named, keys, copies=copies) | values
    return connection.execute(_delete(table, named, where, copies=copies), parameters).rowcount


def _copying() -> ModuleType:
    """Return what needs PostgreSQL's driver, which is installed only where there is one."""
    return importlib.import_module("cleandesk_fleet.subscriber.database.copying")


def _copies(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


# Statements are kept: to build one takes longer than to find what it asks for.
@lru_cache
def _select(
    table: Table,
    names: tuple[str, ...],
    columns: tuple[str, ...],
    where: ColumnElement[bool] | None,
    *,
    copies: bool,
) -> Select[Any]:
    wanted, matches = _wanted(table, names, copies=copies)
    shown = [table.c[name] for name in columns] if columns else list(table.c)
    statement = select(*shown).select_from(wanted.join(table, matches))
    return statement if where is None else statement.where(where)


@lru_cache
def _lock(table: Table, names: tuple[str, ...]) -> Select[Any]:
    wanted, matches = _wanted(table, names, copies=True)
    statement = select(1).select_from(wanted.join(table, matches))
    ordered = statement.order_by(*(table.c[name] for name in names))
    return ordered.with_for_update(of=table)


@lru_cache
def _update(table: Table, names: tuple[str, ...], to: tuple[str, ...], *, copies: bool) -> Update:
    _, matches = _wanted(table, names, copies=copies)
    values = {name: bindparam(f"to_{name}", type_=table.c[name].type) for name in to}
    return table.update().where(matches).values(values)


@lru_cache
def _delete(
    table: Table, names: tuple[str, ...], where: ColumnElement[bool], *, copies: bool
) -> Delete:
    wanted, parts = _keys(names, copies=copies)
    ours = tuple_(*(table.c[name] for name in names))
    return table.delete().where(ours.in_(select(*parts.values()).select_from(wanted)), where)


@lru_cache
def _wanted(
    table: Table, names: tuple[str, ...], *, copies: bool
) -> tuple[FromClause, ColumnElement[bool]]:
    """Return keys as something to join with, and how a table's rows match it."""
    wanted, parts = _keys(names, copies=copies)
    return wanted, and_(*(table.c[name] == part for name, part in parts.items()))


def _keys(
    names: tuple[str, ...], *, copies: bool
) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """Return keys as something to read from, and its columns by name."""
    if copies:
        # As one text for each column: names and ids hold no comma, and arrays are slow to write.
        arrays = [func.string_to_array(bindparam(f"keys_{name}"), ",") for name in names]
        wanted = func.unnest(*arrays).table_valued(*names, name="wanted").render_derived()
        parts: dict[str, ColumnElement[Any]] = {name: wanted.c[name] for name in names}
    else:
        wanted = func.json_each(bindparam("keys")).table_valued("value", name="wanted")
        parts = {
            name: func.json_extract(wanted.c.value, f"$[{place}]")
            for place, name in enumerate(names)
        }
    return wanted, parts


def _parameters(names: Sequence[str], keys: Collection[Key], *, copies: bool) -> Values:
    if not copies:
        return {"keys": json.dumps(list(keys))}
    columns = zip(*keys, strict=True)
    return {f"keys_{name}": ",".join(column) for name, column in zip(names, columns, strict=True)}
