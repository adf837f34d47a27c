"""The log as the page uses it: reads that end in time, writes that last."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from cleandesk_fleet.subscriber.database import DatabaseUnusableError, Place
from cleandesk_fleet.web.errors import TooSlowError
from cleandesk_fleet.web.roles import Role
from cleandesk_fleet.web.store import Store
from tests.unit.web.conftest import Site

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def test_a_query_that_takes_too_long_is_ended(site: Site, place: Place) -> None:
    store = Store(place, patience_s=0.2)
    with pytest.raises(TooSlowError), store.reading() as log:
        log.execute(text(ENDLESS))
    with store.reading() as log:
        assert log.scalar(text("SELECT 1")) == 1
    store.close()
    assert site


def test_a_reader_can_change_nothing(site: Site) -> None:
    with pytest.raises(DatabaseError), site.parts.store.reading() as log:
        log.execute(text("DELETE FROM meta"))


def test_a_log_that_does_not_answer_in_time_is_a_page(
    file_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = file_site.as_(Role.VIEWER)

    def slow(*_: object) -> None:
        raise TooSlowError

    monkeypatch.setattr("cleandesk_fleet.web.views.rates.rates.read", slow)
    answer = reader.get("/rates")
    assert answer.status_code == 503
    assert "does not answer in time" in answer.text


def test_without_a_log_there_is_no_page(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(DatabaseUnusableError, match="no log at"):
        Store(tmp_path_factory.mktemp("empty") / "log.db")
