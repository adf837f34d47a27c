"""Every page of violations, and every rate, is found by an index, never by reading all."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Select, Table, text

from cleandesk_fleet.subscriber.tables import alarms
from cleandesk_fleet.subscriber.tables import violations as table
from cleandesk_fleet.web.queries import filters, rates, timeline, violations
from cleandesk_fleet.web.queries.paging import encode
from tests.postgresql import PostgreSQL, needs_postgresql
from tests.unit.subscriber.make import START, HandClock, hex_id
from tests.unit.web.conftest import Site, site_on

KEY = encode((START + timedelta(minutes=500), "s1", "b1", hex_id("violation", 1)))
#: A filter, and the index that finds what is rare.
CASES = [
    ({}, "violations_opened"),
    ({"site": "rare"}, "violations_of_site"),
    ({"site": "rare", "box": "b100"}, "violations_of_box"),
    ({"class": "rare"}, "violations_class"),
    ({"rule": "rare"}, "violations_rule"),
    ({"severity": "low"}, "violations_severity"),
    ({"state": "open"}, "violations_closed"),
]
COMMON = [{"site": "s1"}, {"class": "class-1"}, {"severity": "high"}, {"state": "closed"}]
FILL = """
INSERT INTO violations (site, box, violation_id, rule, class, zone, severity, score, dwell_s,
  x1, y1, x2, y2, suspended, opened_at, closed_at, reason, clock_synced, replayed, events,
  last_epoch, last_seq, last_at)
SELECT CASE WHEN rare THEN 'rare' ELSE 's' || (n % 3) END, 'b' || (n % 400), md5(n::text),
  CASE WHEN rare THEN 'rare' ELSE 'no-' || (n % 3) END,
  CASE WHEN rare THEN 'rare' ELSE 'class-' || (n % 3) END,
  'desk', CASE WHEN rare THEN 'low' ELSE 'high' END, 0.9, 5, 0, 0, 1, 1,
  false, moment, CASE WHEN rare THEN NULL ELSE moment END,
  'cleared', true, false, 2, md5('e'), n, moment
FROM (
  SELECT n, n % 500 = 100 AS rare, timestamptz '2026-01-01Z' + n * interval '1 minute' AS moment
  FROM generate_series(1, 40000) n
) made
"""


@pytest.fixture(scope="module")
def many(server: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A log with so many violations that reading all of them would cost more than an index."""
    url = server.lend()
    with site_on(url, tmp_path_factory.mktemp("many"), HandClock()) as made:
        PostgreSQL.say(url, FILL)
        PostgreSQL.say(url, "ANALYZE violations")
        yield made
    server.take_back(url)


def plan_of(connection: Connection, given: dict[str, str], after: str | None) -> str:
    return explained(connection, violations.statement_of(filters.read(given), after).limit(51))


def explained(connection: Connection, statement: Select[Any]) -> str:
    dialect = connection.dialect
    explain = "EXPLAIN " if dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    rows = connection.exec_driver_sql(explain + str(compiled).replace("%", "%%")).all()
    return "\n".join(" ".join(map(str, row)) for row in rows)


@needs_postgresql
@pytest.mark.parametrize("after", [None, KEY])
@pytest.mark.parametrize(("given", "index"), CASES, ids=str)
def test_postgresql_finds_what_is_rare_by_its_own_index(
    many: Site, given: dict[str, str], index: str, after: str | None
) -> None:
    with many.parts.store.reading() as connection:
        plan = plan_of(connection, given, after)
    assert index in plan, plan
    assert "Seq Scan on violations" not in plan, plan


@needs_postgresql
@pytest.mark.parametrize("after", [None, KEY])
@pytest.mark.parametrize("given", COMMON, ids=str)
def test_postgresql_finds_what_is_common_in_order_of_time(
    many: Site, given: dict[str, str], after: str | None
) -> None:
    """It may take any index that has the order: what it must not do is sort all of them."""
    with many.parts.store.reading() as connection:
        plan = plan_of(connection, given, after)
    assert "Index Scan Backward using violations_" in plan, plan
    assert "Seq Scan on violations" not in plan, plan
    assert "Presorted Key: violations.opened_at" in plan, plan


@pytest.mark.parametrize("after", [None, KEY])
@pytest.mark.parametrize(("given", "index"), CASES, ids=str)
def test_sqlite_takes_the_filters_index(
    file_site: Site, given: dict[str, str], index: str, after: str | None
) -> None:
    with file_site.parts.store.reading() as connection:
        plan = plan_of(connection, given, after)
    assert f"violations USING INDEX {index}" in plan, plan


#: A day behind most of what `many` holds, of one box among many.
DAY = datetime(2026, 1, 25, tzinfo=UTC)


@needs_postgresql
def test_postgresql_finds_a_boxs_day_and_what_went_on_in_it_by_the_boxs_index(many: Site) -> None:
    with many.parts.store.reading() as connection:
        for statement in (
            timeline.begun(table, "opened_at", "s1", "b1", DAY),
            timeline.gone_on(table, "s1", "b1", DAY, START),
        ):
            plan = explained(connection, statement.limit(timeline.MOST + 1))
            assert "violations_of_box" in plan, plan
            assert "Seq Scan on violations" not in plan, plan


@pytest.mark.parametrize(
    ("kind", "index"), [(table, "violations_of_box"), (alarms, "alarms_box_opened")], ids=str
)
def test_sqlite_finds_a_boxs_day_and_what_went_on_in_it_by_the_boxs_index(
    file_site: Site, kind: Table, index: str
) -> None:
    with file_site.parts.store.reading() as connection:
        for statement, bounds in (
            (timeline.begun(kind, "opened_at", "s1", "b1", DAY), "opened_at>? AND opened_at<?"),
            (timeline.gone_on(kind, "s1", "b1", DAY, START), "opened_at<?"),
        ):
            plan = explained(connection, statement.limit(timeline.MOST + 1))
            assert f"USING INDEX {index} (site=? AND box=? AND {bounds})" in plan, plan


def test_rates_are_counted_by_the_index_of_what_ended(file_site: Site) -> None:
    statement = rates.closed_statement(START, START + timedelta(days=30))
    with file_site.parts.store.reading() as connection:
        compiled = statement.compile(dialect=connection.dialect)
        explained = f"EXPLAIN QUERY PLAN {compiled}"
        plan = connection.exec_driver_sql(explained, tuple(map(str, compiled.params.values())))
        assert "USING INDEX events_closed" in str(plan.all())


@needs_postgresql
def test_choices_are_read_from_an_index_one_by_one(many: Site) -> None:
    with many.parts.store.reading() as connection:
        found = violations.choices(connection, table.c["class"])
        plan = connection.execute(
            text(
                "EXPLAIN SELECT class FROM violations WHERE class > 'class-1' "
                "ORDER BY class LIMIT 1"
            )
        ).all()
    assert found == ["class-0", "class-1", "class-2", "rare"]
    assert "Index" in str(plan)
