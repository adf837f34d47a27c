"""Why the page cannot start, and what it deletes while it runs."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from cleandesk_fleet.web import sessions
from cleandesk_fleet.web.audit import Action, Actor
from cleandesk_fleet.web.errors import WebError
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.serve import listen, serve, tidy
from cleandesk_fleet.web.settings import ListenSettings, WebSettings
from cleandesk_fleet.web.tables import audit
from cleandesk_fleet.web.tables import sessions as session_rows
from tests.unit.web.conftest import Site


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
    old, lines = Actor("ann", "local"), len(file_site.rows(audit))
    with file_site.parts.store.writing() as log:
        file_site.parts.trail.enter(log, now - timedelta(days=366), old, Action.SIGNED_OUT)
    tidy(file_site.parts)
    assert len(file_site.rows(audit)) == lines
    assert reader.get("/").status_code == 200
    file_site.clock.sleep(sessions.IDLE.total_seconds() + 1)
    tidy(file_site.parts)
    assert file_site.rows(session_rows) == []
