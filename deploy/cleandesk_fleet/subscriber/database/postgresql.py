"""The log in a PostgreSQL database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, StaticPool

from cleandesk_fleet.subscriber.database import locks
from cleandesk_fleet.subscriber.database.agreement import DELETION, Deletion, agree, must_agree
from cleandesk_fleet.subscriber.database.errors import DatabaseUnusableError
from cleandesk_fleet.subscriber.database.versions import (
    bring_up_to_date,
    check_version,
    is_due,
    must_be_ours,
)

DRIVER = "postgresql+psycopg"
CONNECT_S = 5
#: A server that is gone without a word is noticed after some 20 s, and so are we by it: what stands
#: in `_OPTIONS` is the server's side of the connection, `_KEEPALIVE` is ours.
_KEEPALIVE_S = 10
_KEEPALIVE = {
    "keepalives_idle": _KEEPALIVE_S,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": _KEEPALIVE_S * 2000,
}
#: Who says nothing for so long is frozen: the server ends its connection, and with it every lock.
#: A writer looks around each second, so silence between transactions is a sign, too.
FROZEN_S = 10
#: Several write one log, and what is deleted goes by what they wrote: further from the server's
#: clock nobody may be.
MOST_SKEW = timedelta(minutes=5)
#: Who reads may stop for longer than who writes, and not for long: meanwhile no month of events
#: that had its time can be deleted, and of no table what has changed be cleared away (VACUUM).
_READING = "10min"
_PROGRAM = "cleandesk-subscriber"
_OPTIONS = (
    "-c timezone=UTC "
    "-c idle_in_transaction_session_timeout=60s "
    f"-c tcp_keepalives_idle={_KEEPALIVE_S} -c tcp_keepalives_interval=5 "
    f"-c tcp_keepalives_count=3 -c tcp_user_timeout={_KEEPALIVE_S * 2000}"
)


def open_writer(url: URL, *, redundant: bool, deletion: Deletion | None) -> Engine:
    """Open a database for writing; subscribers that start together make its tables once.

    Each connection has a seat among those who write, or is refused: while this one was cut off,
    another one may have begun to write alone or by other values, or have changed the tables.
    """
    migrating = _engine(url, pool=NullPool, more=_cut_off())
    with _opening(url, migrating), migrating.begin() as connection:
        locks.migrate_alone(connection)
        if is_due(connection, _words(url)):
            locks.must_be_alone(connection, _words(url))
            bring_up_to_date(connection, _words(url))
        if deletion is not None:
            agree(connection, deletion, _words(url), alone=locks.is_alone(connection))
        off = skew(connection, datetime.now(UTC))
        if abs(off) > MOST_SKEW:
            way = "ahead of" if off > timedelta() else "behind"
            raise DatabaseUnusableError(
                f"{_words(url)}: this machine's clock is {abs(off)} {way} the server's: set it "
                "(timedatectl), or the server's"
            )
    silent = f" -c idle_session_timeout={FROZEN_S}s"
    engine = _engine(url, pool=StaticPool, more=_cut_off() + silent)

    @event.listens_for(engine, "connect")
    def _begin(raw: DBAPIConnection, _record: object) -> None:
        try:
            _take_part(raw, _words(url), deletion, shared=redundant)
        except Exception:
            raw.close()
            raise

    with _opening(url, engine):
        engine.connect().close()
    return engine


def open_beside(url: URL) -> Engine:
    """Open a database for writing beside the subscribers."""
    engine = _engine(url, pool=NullPool, more=_cut_off())
    with _opening(url, engine), engine.connect() as connection:
        check_version(connection, _words(url))
    return engine


def open_reader(url: URL) -> Engine:
    """Open a database for reading only."""
    patience = f" -c idle_in_transaction_session_timeout={_READING}"
    engine = _engine(url, pool=NullPool, more=f"{patience} -c default_transaction_read_only=on")
    # What is read in several statements is of one moment, as SQLite's readers see it.
    engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with _opening(url, engine), engine.connect() as connection:
        check_version(connection, _words(url))
    return engine


def skew(connection: Connection, now: datetime) -> timedelta:
    """Return how far a clock is ahead of the server's; nothing where there is no server."""
    if connection.dialect.name != "postgresql":
        return timedelta()
    its: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now - its


def end_frozen(connection: Connection) -> None:
    """End the connections of writers that froze while they sent rows.

    There the server's own limits do not hold: it waits for the rest of a COPY for ever. Whoever
    waits for their locks comes here by connecting anew.
    """
    connection.exec_driver_sql(_ending_frozen())


def _take_part(
    raw: DBAPIConnection, place: str, deletion: Deletion | None, *, shared: bool
) -> None:
    cursor = raw.cursor()
    cursor.execute(_ending_frozen())
    raw.commit()
    locks.take_seat(raw, place, shared=shared)
    cursor.execute("SELECT name, value FROM meta WHERE name IN ('schema', %s)", (DELETION,))
    found = dict(cursor.fetchall())
    cursor.close()
    raw.commit()
    must_be_ours(found.get("schema"), place)
    must_agree(found.get(DELETION), deletion, place)


def _cut_off() -> str:
    """Return what writers ask for; who only reads may stop for longer (`_READING`)."""
    return f" -c idle_in_transaction_session_timeout={FROZEN_S}s"


def _ending_frozen() -> str:
    return (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "  # noqa: S608 - our own constants
        "WHERE datname = current_database() AND usename = current_user "
        f"AND application_name = '{_PROGRAM}' AND state = 'active' AND wait_event = 'ClientRead' "
        f"AND query_start < clock_timestamp() - make_interval(secs => {FROZEN_S})"
    )


def _engine(url: URL, *, pool: type[StaticPool | NullPool], more: str) -> Engine:
    try:
        return create_engine(
            url,
            poolclass=pool,
            connect_args={
                "connect_timeout": CONNECT_S,
                **_KEEPALIVE,
                "options": f"{_OPTIONS} -c lock_timeout={FROZEN_S + 5}s{more}",
                "application_name": _PROGRAM,
            },
        )
    except ModuleNotFoundError as error:
        raise DatabaseUnusableError(
            f"{_words(url)}: {error}: install it with 'pip install cleandesk[postgresql]'"
        ) from error


@contextmanager
def _opening(url: URL, engine: Engine) -> Iterator[None]:
    """Leave no connection behind where the log cannot be opened, and say why."""
    try:
        yield
    except DBAPIError as error:
        engine.dispose()
        raise DatabaseUnusableError(_unusable(url, error)) from error
    except Exception:
        engine.dispose()
        raise


def _words(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _unusable(url: URL, error: DBAPIError) -> str:
    reason = str(error.orig).strip().replace("\n", " ")
    return (
        f"{_words(url)}: {reason}: check 'store.url', that the server runs and lets this user in, "
        "and that the database is a cleandesk log or empty"
    )
