"""The role that the README makes in PostgreSQL can run the page, and change nothing of the log."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from cleandesk_fleet.subscriber.database import open_writer
from cleandesk_fleet.subscriber.tables import events
from cleandesk_fleet.web import audit
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.tables import decisions
from tests.postgresql import PostgreSQL, needs_postgresql
from tests.rig import ROOT
from tests.unit.subscriber.make import HandClock, hex_id
from tests.unit.web.conftest import send, site_on
from tests.unit.web.make import appeal, opened, path_of

DOCUMENT = (ROOT / "deploy" / "web.md").read_text(encoding="utf-8")


@needs_postgresql
def test_the_documented_role_runs_the_page_and_cannot_touch_the_log(
    server: PostgreSQL, tmp_path: Path
) -> None:
    url = server.lend()
    (grants,) = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
    owner = open_writer(url)
    with owner.begin() as log:
        log.execute(text(grants))
    owner.dispose()
    page = url.set(username="cleandesk_web")
    with site_on(url, tmp_path, HandClock(), page=page) as site:
        site.log.commit([opened(1), appeal(1)], site.clock())
        form = {"appeal": hex_id("appeal", 1), "outcome": "upheld", "note": "x"}
        reader = site.as_(Role.ADMIN)
        assert send(reader, path_of(1), **form).status_code == 303
        for path in ("/", "/violations", "/violations.csv", "/appeals", "/rates", "/audit"):
            assert reader.get(path).status_code == 200, path
        store = site.parts.store
        with store.writing() as log:
            assert audit.delete_due(log, site.clock().utc) == 0
        for statement in (events.delete(), decisions.delete(), events.update().values(site="x")):
            with pytest.raises(ProgrammingError, match="permission denied"), store.writing() as log:
                log.execute(statement)
    server.take_back(url)
