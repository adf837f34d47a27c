"""What Prometheus is told: of this process, and of the fleet's log."""

import urllib.request
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError
from sqlalchemy import Engine

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.causes import Cause
from cleandesk_fleet.subscriber.database import Place, open_reader
from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.metrics import state
from cleandesk_fleet.subscriber.metrics.figures import Figures
from cleandesk_fleet.subscriber.metrics.serving import serving
from cleandesk_fleet.subscriber.metrics.settings import MetricsSettings
from cleandesk_fleet.subscriber.metrics.state import FleetState
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import losses
from tests.mosquitto import free_port
from tests.unit.subscriber.make import (
    OTHER,
    START,
    HandClock,
    event,
    event_fields,
    health,
    hex_id,
    received,
    status,
)

Values = dict[tuple[str, ...], float]


def values(metrics: Iterable[Metric], name: str) -> Values:
    """Return a metric's values by the values of its labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for metric in metrics
        for sample in metric.samples
        if sample.name == name
    }


@pytest.fixture
def fleet(place: Place, journal: Log) -> FleetState:
    assert journal
    return FleetState(open_reader(place), lambda: True)


def test_counts_deliveries_by_channel_and_result(journal: Log, clock: HandClock) -> None:
    figures = Figures()
    readings = [
        event(1),
        event(1),
        health(),
        read(received("violation", b"\xff"), None),
        read(received("violation", event_fields(2)), ["s2"]),
        event(2, event_id=event_fields(1)["event_id"]),
    ]
    figures.took(readings, journal.commit(readings, clock()), 0.2)
    counted = values(figures.registry.collect(), "cleandesk_messages_total")
    assert counted == {
        ("violation", "committed"): 1,
        ("violation", "duplicate"): 1,
        ("health", "heard"): 1,
        ("violation", "quarantined"): 2,
        ("violation", "refused"): 1,
    }
    causes = values(figures.registry.collect(), "cleandesk_rejected_total")
    assert set(causes) == {(cause.value,) for cause in Cause}, "each begins at 0"
    counted = {cause: times for cause, times in causes.items() if times}
    assert counted == {("json",): 1, ("site",): 1, ("conflict",): 1}
    seconds = values(figures.registry.collect(), "cleandesk_commit_seconds_bucket")
    assert (seconds["0.1",], seconds["0.25",]) == (0, 1)


def test_no_topic_that_a_stranger_invents_makes_a_series(journal: Log, clock: HandClock) -> None:
    figures = Figures()
    readings = [
        read(received("violation", b"x", box=Address(f"site{n}", f"box{n}")), None)
        for n in range(200)
    ]
    figures.took(readings, journal.commit(readings, clock()), 0.1)
    assert len(values(figures.registry.collect(), "cleandesk_messages_total")) == 1
    assert len(values(figures.registry.collect(), "cleandesk_rejected_total")) == len(Cause)


def test_says_of_boxes_when_they_were_heard_and_how_long_their_events_wait(
    journal: Log, clock: HandClock, fleet: FleetState
) -> None:
    clock.sleep(10)
    waits = {"depth": 2, "oldest_s": 95.5}
    journal.commit([status(), health(outbox=waits), status("stopped", box=OTHER)], clock())
    found = list(fleet.collect())
    assert values(found, "cleandesk_boxes") == {("s1", "online"): 1, ("s1", "stopped"): 1}
    seen = values(found, "cleandesk_box_last_seen_timestamp_seconds")
    assert seen == {("s1", "b1"): (START + timedelta(seconds=10)).timestamp()}
    assert values(found, "cleandesk_box_outbox_oldest_seconds") == {("s1", "b1"): 95.5}
    assert values(found, "cleandesk_boxes_left_out") == {(): 0}


def test_says_which_alarms_are_open_and_since_when(
    journal: Log, clock: HandClock, fleet: FleetState
) -> None:
    journal.commit([event(3), health(camera={"fault": "black"})], clock.sleep(5))
    found = list(fleet.collect())
    assert values(found, "cleandesk_alarms_open") == {("s1", "gap"): 1, ("s1", "fault"): 1}
    since = (START + timedelta(seconds=5)).timestamp()
    alarms = values(found, "cleandesk_box_alarm_since_timestamp_seconds")
    assert alarms == {("s1", "b1", "gap"): since, ("s1", "b1", "fault"): since}
    assert values(found, "cleandesk_events_missing") == {("s1",): 2}


def test_counts_violations_by_site_and_never_by_desk(
    journal: Log, clock: HandClock, fleet: FleetState
) -> None:
    journal.commit([event(1)], clock())
    found = list(fleet.collect())
    assert values(found, "cleandesk_violations_open") == {("s1", "high"): 1}
    by_box = {one.name for one in found if any("box" in sample.labels for sample in one.samples)}
    assert by_box == {
        "cleandesk_box_last_seen_timestamp_seconds",
        "cleandesk_box_outbox_oldest_seconds",
    }


def test_no_box_can_claim_more_losses_than_can_be_summed_up(
    engine: Engine, clock: HandClock, fleet: FleetState
) -> None:
    mine = {"site": "s1", "box": "b1", "reason": "full", "reported_at": clock().utc}
    lost = mine | {"first": 1, "last": 2**53 - 1}
    with engine.begin() as connection:
        rows = [lost | {"epoch": hex_id("epoch", number)} for number in range(1100)]
        connection.execute(losses.insert(), rows)
    found = list(fleet.collect())
    assert values(found, "cleandesk_log_readable") == {(): 1}
    assert values(found, "cleandesk_events_lost")["s1",] == pytest.approx(1100 * 2.0**53)


def test_says_what_is_in_quarantine_and_what_made_room(
    journal: Log, clock: HandClock, fleet: FleetState
) -> None:
    unread = [read(received("violation", b"%d" % number), None) for number in range(60)]
    journal.commit(unread, clock())
    found = list(fleet.collect())
    assert values(found, "cleandesk_quarantine_messages") == {(): 50}
    assert values(found, "cleandesk_quarantine_dropped_total") == {(): 10}


def test_series_are_bounded_and_what_is_left_out_is_counted(
    journal: Log, clock: HandClock, fleet: FleetState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "MOST_BOXES", 3)
    monkeypatch.setattr(state, "MOST_ALARMS", 2)
    desks = [Address("s1", f"b{number}") for number in range(5)]
    for desk in desks:
        journal.commit([health(box=desk, camera={"fault": "black"})], clock.sleep(1))
    found = list(fleet.collect())
    assert values(found, "cleandesk_boxes_left_out") == {(): 2}
    named = values(found, "cleandesk_box_last_seen_timestamp_seconds")
    assert {box for _, box in named} == {"b0", "b1", "b2"}, "those heard longest ago"
    alarms = values(found, "cleandesk_box_alarm_since_timestamp_seconds")
    assert {box for _, box, _ in alarms} == {"b0", "b1"}, "the oldest ones"
    assert values(found, "cleandesk_alarms_open") == {("s1", "fault"): 5}


def test_whoever_does_not_judge_says_nothing_of_the_fleet(place: Place, journal: Log) -> None:
    assert journal
    assert list(FleetState(open_reader(place), lambda: False).collect()) == []


def test_a_log_that_cannot_be_read_is_a_figure_too(engine: Engine, place: Place) -> None:
    reader = open_reader(place)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE epochs RENAME TO epochs_away")
    try:
        found = list(FleetState(reader, lambda: True).collect())
        assert values(found, "cleandesk_log_readable") == {(): 0}
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE epochs_away RENAME TO epochs")


def test_who_asks_often_is_given_the_same(
    journal: Log, clock: HandClock, fleet: FleetState
) -> None:
    before = values(fleet.collect(), "cleandesk_boxes")
    journal.commit([status()], clock())
    assert values(fleet.collect(), "cleandesk_boxes") == before == {}


def test_they_are_served_on_this_machine_as_long_as_it_runs() -> None:
    figures, settings = Figures(), MetricsSettings(port=free_port())
    figures.watch(connected=lambda: True, judges=lambda: False)
    url = f"http://127.0.0.1:{settings.port}/metrics"
    with serving(settings, figures), urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    families: dict[str, Any] = {one.name: one for one in text_string_to_metric_families(text)}
    assert families["cleandesk_connected"].samples[0].value == 1
    assert families["cleandesk_judges"].samples[0].value == 0
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=10)


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    settings = MetricsSettings(port=free_port())
    with (
        serving(settings, Figures()),
        pytest.raises(OSError, match=r"choose another 'metrics\.port'"),
        serving(settings, Figures()),
    ):
        pass


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_nothing_but_this_machine_can_be_served(address: str) -> None:
    with pytest.raises(ValidationError, match=r"write 127\.0\.0\.1"):
        MetricsSettings(address=address)
