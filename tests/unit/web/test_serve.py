"""Why the page cannot start, and what it deletes while it runs."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table, text

from cleandesk_fleet.web import sessions
from cleandesk_fleet.web.audit import Action, Actor
from cleandesk_fleet.web.errors import WebError
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.serve import listen, serve, tidy
from cleandesk_fleet.web.settings import ListenSettings, WebSettings
from cleandesk_fleet.web.tables import audit
from cleandesk_fleet.web.tables import sessions as session_rows
from tests.postgresql import PostgreSQL, needs_postgresql
from tests.unit.subscriber.make import HandClock
from tests.unit.web.conftest import Site, site_on

ANN = Actor("ann", "local")


def test_a_port_in_use_is_told_with_a_fix() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ListenSettings(port=taken.getsockname()[1])
        with pytest.raises(WebError, match="Address already in use; end who listens there"):
            listen(settings)


def test_a_folder_that_is_not_there_is_told_with_a_fix(tmp_path: Path) -> None:
    with pytest.raises(WebError, match=r"No such file or directory; .* choose another place"):
        listen(ListenSettings(socket=tmp_path / "none" / "page.sock"))


def test_a_certificate_that_is_none_is_told_with_a_fix(file_place: Path, tmp_path: Path) -> None:
    pem = tmp_path / "ops.pem"
    pem.write_text("nothing", encoding="ascii")
    listens = {"cert": str(pem), "key": str(pem)}
    given = {"url": "https://a.b", "listen": listens, "store": {"path": str(file_place)}}
    with pytest.raises(WebError, match="give a readable PEM certificate"):
        serve(WebSettings.model_validate(given))


def test_what_had_its_time_is_deleted(file_site: Site) -> None:
    reader = file_site.as_(Role.VIEWER)
    now = file_site.clock().utc
    lines = len(file_site.rows(audit))
    with file_site.parts.store.writing() as log:
        file_site.parts.trail.enter(log, now - timedelta(days=366), ANN, Action.SIGNED_OUT)
    tidy(file_site.parts)
    assert len(file_site.rows(audit)) == lines
    assert reader.get("/").status_code == 200
    file_site.clock.sleep(sessions.IDLE.total_seconds() + 1)
    tidy(file_site.parts)
    assert file_site.rows(session_rows) == []


@needs_postgresql
@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1000)], ids=str)
def test_a_clock_ahead_deletes_what_had_its_time_by_the_servers_and_no_more(
    server: PostgreSQL, tmp_path: Path, ahead: timedelta
) -> None:
    url = server.lend()
    with site_on(url, tmp_path, HandClock()) as site:
        present = datetime.now(UTC)
        site.clock.sleep((present + ahead - site.clock().utc).total_seconds())
        full_time = present - timedelta(days=site.parts.settings.audit_days)
        with site.parts.store.writing() as log:
            for at in (full_time - timedelta(days=1), full_time + ahead / 2):
                site.parts.trail.enter(log, at, ANN, Action.SIGNED_OUT)
        tidy(site.parts)
        assert [row["at"] for row in site.rows(audit)] == [full_time + ahead / 2]
    server.take_back(url)


@pytest.mark.parametrize(
    ("stuck", "other"), [(session_rows, audit), (audit, session_rows)], ids=["sessions", "trail"]
)
def test_what_cannot_be_deleted_holds_up_nothing_else(
    file_site: Site, stuck: Table, other: Table, caplog: pytest.LogCaptureFixture
) -> None:
    with file_site.parts.store.writing() as log:
        long_ago = file_site.clock().utc - timedelta(days=366)
        sessions.begin(log, long_ago, "ann")
        file_site.parts.trail.enter(log, long_ago, ANN, Action.SIGNED_IN)
        log.execute(
            text(
                f"CREATE TRIGGER stuck BEFORE DELETE ON {stuck.name} "
                "BEGIN SELECT RAISE(ABORT, 'stuck'); END"
            )
        )
    tidy(file_site.parts)
    assert (len(file_site.rows(stuck)), len(file_site.rows(other))) == (1, 0)
    assert "what had its time could not be deleted" in caplog.messages
