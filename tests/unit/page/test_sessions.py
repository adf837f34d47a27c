"""Sessions end by themselves, and the file that keeps them lets nobody in."""

import sqlite3
from pathlib import Path

import pytest

from cleandesk.page.errors import PageError
from cleandesk.page.sessions import IDLE, LONGEST, PAIRING, Sessions
from cleandesk.page.store import Store
from cleandesk.page.visit import SESSION_COOKIE
from tests.unit.page.conftest import LABEL, HandClock, Page, send

DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "page.db")


def test_a_session_that_is_not_used_ends(store: Store) -> None:
    clock = HandClock()
    sessions = Sessions(store, clock)
    token = sessions.begin()
    clock.pass_(IDLE.total_seconds() + 1)
    assert sessions.find(token) is None
    store.close()


def test_a_session_that_is_used_goes_on_and_ends_in_the_end(store: Store) -> None:
    clock = HandClock()
    sessions = Sessions(store, clock)
    token = sessions.begin()
    for _ in range(LONGEST.days):
        clock.pass_(DAY)
        assert sessions.find(token) is not None
    clock.pass_(1)
    assert sessions.find(token) is None
    store.close()


def test_who_came_by_the_label_must_hurry(store: Store) -> None:
    clock = HandClock()
    sessions = Sessions(store, clock)
    token = sessions.begin(pairing=True)
    clock.pass_(PAIRING.total_seconds() + 1)
    assert sessions.find(token) is None
    store.close()


def test_sessions_outlive_a_restart(tmp_path: Path, store: Store) -> None:
    clock = HandClock()
    token = Sessions(store, clock).begin()
    store.close()
    again = Store(tmp_path / "page.db")
    assert Sessions(again, clock).find(token) is not None
    again.close()


def test_the_file_holds_no_token_and_is_its_users_alone(tmp_path: Path, store: Store) -> None:
    token = Sessions(store, HandClock()).begin()
    files = list(tmp_path.glob("page.db*"))
    assert not [f for f in files if token.encode() in f.read_bytes()]
    assert {f.stat().st_mode & 0o077 for f in files} == {0}
    store.close()


def test_a_file_that_is_no_store_is_told_with_the_fix(tmp_path: Path) -> None:
    file = tmp_path / "page.db"
    file.write_text("not a database, but long enough to be looked at as one" * 20)
    with pytest.raises(PageError, match=r"page.db: cannot be used .* delete it"):
        Store(file)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "page.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(PageError, match="version 9"):
        Store(file)


def test_a_guessed_cookie_is_nobody(page: Page) -> None:
    page.worker()
    reader = page.reader()
    for guess in ("", "x", "0" * 64, "' OR 1=1 --"):
        reader.cookies.set(SESSION_COOKIE, guess)
        assert reader.get("/").headers["location"] == "/sign-in"


def test_signing_out_everywhere_ends_all(page: Page) -> None:
    first, second = page.worker(), page.worker()
    assert send(first, "/settings/sign-out").headers["location"] == "/sign-in"
    assert second.get("/").headers["location"] == "/sign-in"


def test_a_pairing_reader_cannot_sign_others_out(page: Page) -> None:
    worker = page.worker()
    page.store.pin = None
    newcomer = page.reader()
    send(newcomer, "/sign-in", pin=LABEL)
    send(newcomer, "/settings/sign-out", page="/pair")
    assert worker.get("/").status_code == 200
