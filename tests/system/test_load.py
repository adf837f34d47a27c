"""`make load` once, small: what must hold on any machine, however busy it is."""

from pathlib import Path

import pytest

from cleandesk_fleet.subscriber.settings import BatchSettings
from tests.load import plot, table
from tests.load.run import Plan, measure
from tests.mosquitto import needs_mosquitto
from tests.postgresql import needs_postgresql

pytestmark = [pytest.mark.system, needs_mosquitto]

BOXES = 300


@pytest.mark.parametrize(
    ("database", "subscribers"),
    [("sqlite", 1), pytest.param("postgresql", 2, marks=needs_postgresql)],
)
def test_each_event_of_some_hundred_boxes_is_logged_once_though_a_subscriber_is_killed(
    tmp_path: Path, database: str, subscribers: int
) -> None:
    plan = Plan(
        BOXES,
        rate=BOXES / 4,
        seconds=8,
        database=database,
        subscribers=subscribers,
        batch=BatchSettings().messages,
        kill=subscribers > 1,
    )
    outcome = measure(plan, tmp_path)
    assert outcome.sent > BOXES
    assert (outcome.lost, outcome.doubled, outcome.waiting) == (0, 0, 0)
    assert outcome.logged.distinct == outcome.sent
    assert plan.name in table.line(outcome)
    picture = tmp_path / "load.png"
    plot.write([outcome], picture)
    assert picture.stat().st_size > 0
