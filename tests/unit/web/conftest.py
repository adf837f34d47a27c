"""A page in this process, on a log that a subscriber's own code filled."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Select, Table, select
from starlette.testclient import TestClient

from cleandesk_fleet.subscriber.database import Place, open_writer
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.web import accounts, passwords
from cleandesk_fleet.web.app import make
from cleandesk_fleet.web.audit import Trail
from cleandesk_fleet.web.entrance import Entrance
from cleandesk_fleet.web.parts import Parts, templates
from cleandesk_fleet.web.proxy import Proxy
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.settings import WebSettings
from cleandesk_fleet.web.store import Store
from tests.postgresql import PostgreSQL, needs_postgresql
from tests.unit.subscriber.make import HandClock, log_of

URL = "https://ops.example.org"
PASSWORD = "correct horse battery"  # noqa: S105 - of a test
#: As cheap as argon2 allows: what it costs is not what is tested.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Site:
    """The page, the log behind it, and the subscriber that fills it."""

    parts: Parts
    log: Log
    clock: HandClock
    folder: Path

    def reader(self, *, address: str = "192.0.2.7", **headers: str) -> TestClient:
        """Return a new browser."""
        return TestClient(
            make(self.parts),
            base_url=self.parts.settings.url,
            client=(address, 50000),
            headers=headers,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def account(self, name: str, role: Role) -> None:
        """Make an account, if it is not there yet."""
        with self.parts.store.writing() as connection:
            if accounts.find(connection, name) is None:
                accounts.add(connection, self.clock().utc, name, role, PASSWORD)

    def as_(self, role: Role) -> TestClient:
        """Return a browser whose reader has signed in; their name is their role."""
        self.account(role.value, role)
        reader = self.reader()
        done = send(reader, "/sign-in", name=role.value, password=PASSWORD)
        assert done.status_code == 303, done.text
        return reader

    def rows(self, what: Table | Select[Any]) -> list[dict[str, Any]]:
        """Return what the log holds."""
        statement = select(what) if isinstance(what, Table) else what
        with self.parts.store.reading() as connection:
            return [row._asdict() for row in connection.execute(statement)]


def token(html: str) -> str:
    """Return the token of a page's forms."""
    found = re.search(r'name="token" value="([^"]+)"', html)
    assert found, html
    return found[1]


def send(
    reader: httpx2.Client, path: str, *, page: str | None = None, **fields: str
) -> httpx2.Response:
    """Send a form as it stands on a page."""
    form = reader.get(page or path)
    return reader.post(path, data={"token": token(form.text)} | fields)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    monkeypatch.setattr(passwords, "_NOBODY", CHEAP.hash("nobody has this password"))


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    server = PostgreSQL().start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def empty_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an empty log, to be copied: to make one takes longer."""
    path = tmp_path_factory.mktemp("empty") / "log.db"
    open_writer(path).dispose()
    return path


@pytest.fixture
def file_place(empty_log: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_log, tmp_path / "log.db"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where a log is, on each kind of database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("file_place")
        return
    server: PostgreSQL = request.getfixturevalue("server")
    url = server.lend()
    yield url
    server.take_back(url)


@contextmanager
def site_on(
    place: Place, folder: Path, clock: HandClock, *, page: Place | None = None, **settings: object
) -> Iterator[Site]:
    """Run a page on a log; `page` is how the page reaches it, if otherwise than the subscriber."""
    engine = open_writer(place)
    log = log_of(engine, folder=folder / "stills").begin(clock())
    given = WebSettings.model_validate({"url": URL} | settings)
    store, trail = Store(page or place), Trail(timedelta(days=given.audit_days))
    parts = Parts(
        settings=given,
        store=store,
        trail=trail,
        entrance=Entrance(store, trail, clock),
        proxy=None if given.proxy is None else Proxy(given.proxy),
        pictures=Pictures(folder / "stills"),
        templates=templates(),
        clock=clock,
    )
    yield Site(parts, log, clock, folder)
    store.close()
    engine.dispose()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def site(place: Place, tmp_path: Path, clock: HandClock) -> Iterator[Site]:
    with site_on(place, tmp_path, clock) as made:
        yield made


@pytest.fixture
def file_site(file_place: Path, tmp_path: Path, clock: HandClock) -> Iterator[Site]:
    """A page on a file: for what does not depend on the database."""
    with site_on(file_place, tmp_path, clock) as made:
        yield made
