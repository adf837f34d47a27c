"""A real PostgreSQL server for tests: our own process, on a socket in a folder of its own."""

import getpass
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import LiteralString, Self

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

from cleandesk_fleet.subscriber.database import Place, open_writer
from cleandesk_fleet.subscriber.database.postgresql import DRIVER
from cleandesk_fleet.subscriber.tables import meta, metadata
from tests.eventually import eventually

_DEBIAN = Path("/usr/lib/postgresql")
_INITDB = ("-A", "trust", "--no-sync", "--encoding=UTF8", "--locale=C")
_TEMPLATE = "cleandesk_template"
#: The server refuses to run as root; Debian's package makes this user.
_USER = "postgres" if os.geteuid() == 0 else getpass.getuser()
#: As little as a test needs: no disk is waited for, unless a test is about that.
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


def _programs() -> Path | None:
    """Return the folder of the newest server's programs; they are not on the path."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


PROGRAMS = _programs()
needs_postgresql = pytest.mark.skipif(
    PROGRAMS is None, reason="PostgreSQL is not installed: `make test` installs it"
)


class PostgreSQL:
    """One server with its own data; databases are made from a template that holds an empty log.

    Args:
        options: Settings of the server, `name=value`.
    """

    def __init__(self, *, options: Sequence[str] = FAST) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="cleandesk-pg-"))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._has_template = False
        self._idle: list[URL] = []

    def start(self) -> Self:
        """Make its data and start it, and return once it answers."""
        if PROGRAMS is None:
            pytest.skip("PostgreSQL is not installed: `make test` installs it")
        if os.geteuid() == 0:
            account = pwd.getpwnam(_USER)
            os.chown(self.home, account.pw_uid, account.pw_gid)
        with (self.home / "initdb.log").open("wb") as words:
            subprocess.run(
                [PROGRAMS / "initdb", "-D", self._data, "-U", "cleandesk", *_INITDB],
                user=_USER if os.geteuid() == 0 else None,
                stdout=words,
                stderr=words,
                check=True,
            )
        return self.run()

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def run(self) -> Self:
        """Start the server on the data that is there."""
        assert PROGRAMS is not None
        settings = ["listen_addresses=", "max_connections=50", *self._options]
        with (self.home / "server.log").open("ab") as words:
            self._process = subprocess.Popen(
                [
                    *(PROGRAMS / "postgres", "-D", self._data, "-k", self.home),
                    *(part for setting in settings for part in ("-c", setting)),
                ],
                user=_USER if os.geteuid() == 0 else None,
                stdout=words,
                stderr=words,
            )
        eventually(self._answers, "an answer of PostgreSQL")
        return self

    def stop(self) -> None:
        """End it fast, in order."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it at once, as a crash would; `run` recovers."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.stop()
        shutil.rmtree(self.home)

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str) -> URL:
        """Return where a database is."""
        return URL.create(
            DRIVER, username="cleandesk", database=database, query={"host": str(self.home)}
        )

    def empty(self) -> URL:
        """Make a database without tables."""
        return self._made("template1")

    def log(self) -> URL:
        """Make a database with an empty log, by copying one."""
        if not self._has_template:
            self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
            open_writer(self.url(_TEMPLATE)).dispose()
            self._has_template = True
        return self._made(_TEMPLATE)

    def lend(self) -> URL:
        """Return a database with an empty log, which `take_back` makes empty for the next one."""
        return self._idle.pop() if self._idle else self.log()

    def take_back(self, url: URL) -> None:
        """End all connections to a database that was lent, and empty its log."""
        with psycopg.connect(
            host=str(self.home), user="cleandesk", dbname=url.database, autocommit=True
        ) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = [table for table in metadata.sorted_tables if table is not meta]
            names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))
            connection.execute("DELETE FROM meta WHERE name <> 'schema'")
            seats = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            of_this = "(SELECT oid FROM pg_database WHERE datname = current_database())"
            eventually(
                lambda: connection.execute(seats + of_this).fetchone() == (0,),
                "that the server has ended them",
            )
        self._idle.append(url)

    @staticmethod
    def say(url: URL, statement: LiteralString) -> None:
        """Do something to a database behind the software's back."""
        with psycopg.connect(
            host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True
        ) as connection:
            connection.execute(statement)

    @staticmethod
    def ask(url: URL, question: LiteralString) -> object:
        """Return the one value that a query finds."""
        with psycopg.connect(
            host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True
        ) as connection:
            row = connection.execute(question).fetchone()
            assert row is not None
            return row[0]

    def _made(self, template: str) -> URL:
        name = f"log_{secrets.token_hex(6)}"
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def _execute(self, statement: sql.Composed) -> None:
        with self._connection() as connection:
            connection.execute(statement)

    def _connection(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.home), user="cleandesk", dbname="postgres", autocommit=True
        )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.home / "server.log").read_text("utf-8")
        try:
            self._connection().close()
        except psycopg.OperationalError:
            return False
        return True


def words_of(place: Place) -> str:
    """Return a place as a configuration names it."""
    if isinstance(place, Path):
        return str(place)
    return place.set(drivername="postgresql").render_as_string()
