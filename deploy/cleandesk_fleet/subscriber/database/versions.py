"""Which version a log is of, and how an older one becomes one of this software: by Alembic."""

import logging
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, inspect, select

from cleandesk_fleet.subscriber.database.errors import DatabaseUnusableError
from cleandesk_fleet.subscriber.tables import VERSION, meta

log = logging.getLogger(__name__)

_SCRIPTS = Path(__file__).parent / "migrations"
#: Logs from before Alembic say their version in `meta` alone; these are revisions, too.
_BEFORE_ALEMBIC = frozenset({"1", "2"})


def is_due(connection: Connection, place: str) -> bool:
    """Say whether a log's tables are to be made, or changed from an older version's.

    Raises:
        DatabaseUnusableError: If this is no log, or a newer one.
    """
    return _older(connection, place)[0] != str(VERSION)


def bring_up_to_date(connection: Connection, place: str) -> None:
    """Make the tables, or change those of an older version; the transaction is the caller's.

    Raises:
        DatabaseUnusableError: If this is no log, or a newer one.
    """
    found, tables = _older(connection, place)
    if found == str(VERSION):
        return
    _upgrade(connection, found if "alembic_version" not in tables else None)
    meta_row = meta.update().where(meta.c.name == "schema").values(value=str(VERSION))
    if not connection.execute(meta_row).rowcount:
        connection.execute(meta.insert().values(name="schema", value=str(VERSION)))
    log.info("the log was brought up to date", extra={"place": place, "was": found, "is": VERSION})


def _older(connection: Connection, place: str) -> tuple[str | None, Sequence[str]]:
    """Return the version and the tables of a log that is not newer than we are."""
    tables = inspect(connection).get_table_names()
    found = _version_of(connection, tables)
    if tables and (found is None or not found.isdecimal() or int(found) > VERSION):
        check_version(connection, place)
    return found, tables


def _upgrade(connection: Connection, stamp: str | None) -> None:
    """Run the migrations; a log from before Alembic is told first which of them it has."""
    # Only here: reading commands start once for each look, and never need it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if stamp in _BEFORE_ALEMBIC:
        command.stamp(config, stamp)
    command.upgrade(config, "head")


def check_version(connection: Connection, place: str) -> None:
    """See that this software can work with a log.

    Raises:
        DatabaseUnusableError: If it is older or newer; the text says what to do.
        DatabaseError: If it is no log at all.
    """
    must_be_ours(_version(connection), place)


def must_be_ours(found: str | None, place: str) -> None:
    """See that a log's version, as its table `meta` has it, is the one that we work with.

    Raises:
        DatabaseUnusableError: If it is older or newer; the text says what to do.
    """
    if found != str(VERSION):
        older = found is not None and found.isdecimal() and int(found) < VERSION
        raise DatabaseUnusableError(
            f"{place}: this log has schema {found}, this software works with {VERSION}: "
            + (
                "start `cleandesk-subscriber run` once, or `migrate`, which bring it up to date"
                if older
                else "use the version of cleandesk-subscriber that wrote it, or a newer one"
            )
        )


def _version_of(connection: Connection, tables: Sequence[str]) -> str | None:
    return _version(connection) if "meta" in tables else None


def _version(connection: Connection) -> str | None:
    return connection.scalar(select(meta.c.value).where(meta.c.name == "schema"))
