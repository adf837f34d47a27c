"""Hostile messages by the thousand: none stops the log, each is answered and counted.

`HOSTILE=100000` is the long run, which `make test-scale` does.
"""

import io
import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from cleandesk.contract.messages import AckStatus
from cleandesk.contract.mqtt import Received
from cleandesk_fleet.subscriber import queries
from cleandesk_fleet.subscriber.database import Place, open_reader
from cleandesk_fleet.subscriber.intake import Event, Reading, Rejected, read
from cleandesk_fleet.subscriber.metrics.figures import Figures
from cleandesk_fleet.subscriber.metrics.state import FleetState
from cleandesk_fleet.subscriber.output import Format, Writer
from cleandesk_fleet.subscriber.quarantine import DROPPED, MAX_KEPT_BYTES
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import alarms, events, quarantine, violations
from cleandesk_fleet.subscriber.transaction import Answer
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.hostile import HONEST, Hostile
from tests.unit.subscriber.make import HandClock, log_of

MANY = int(os.environ.get("HOSTILE", "3000"))
pytestmark = pytest.mark.timeout(max(300, MANY // 25))
SEED = 20261129
BATCH = 250
MOST_KEPT = 500
#: Topic, reason, digest and names of a row, at most, beside what is kept of the payload.
MOST_BESIDE = 4 * 1000 + 4 * 500 + 64 + 2 * 64 + 100


class Siege:
    """Takes in everything, as the service does, and remembers what was answered."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._clock = HandClock()
        self.log: Log = log_of(engine, folder=folder / "stills", max_quarantined=MOST_KEPT)
        self.log.begin(self._clock())
        self.hostile = Hostile(SEED)
        self.figures = Figures()
        self.results: Counter[AckStatus | None] = Counter()
        self.causes: Counter[str] = Counter()
        self.committed: dict[str, bytes] = {}
        self.unanswered = 0

    def run(self) -> None:
        batch: list[Received] = []
        for delivery in self.hostile.deliveries(MANY):
            batch.append(delivery)
            if len(batch) == BATCH:
                self._take(batch)
                batch = []
        self._take(batch)

    def _take(self, batch: Sequence[Received]) -> None:
        readings = [read(one, ["s1"]) for one in batch]
        answers = self.log.commit(readings, self._clock.sleep(1))
        self.figures.took(readings, answers, 0.01)
        self.log.look_around(self._clock())
        assert len(answers) == len(batch)
        for reading, answer in zip(readings, answers, strict=True):
            self._note(reading, answer)

    def _note(self, reading: Reading, answer: Answer) -> None:
        result = answer[1].result if answer else None
        self.results[result] += 1
        if isinstance(reading, Rejected):
            self.causes[reading.cause.value] += 1
            assert reading.reason
            assert (answer is None) == (reading.address is None)
            self.unanswered += reading.address is None
        if answer is not None:
            assert answer[0] == reading.address
            turned_away = result in {AckStatus.QUARANTINED, AckStatus.REFUSED}
            assert turned_away == bool(answer[1].reason)
            if result is AckStatus.COMMITTED and isinstance(reading, Event):
                assert answer[1].id not in self.committed, "committed once"
                self.committed[answer[1].id] = reading.payload


@pytest.fixture
def siege(engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Siege:
    siege = Siege(engine, tmp_path)
    with caplog.at_level(logging.ERROR):
        siege.run()
    assert caplog.records == [], "a batch had to be taken one by one"
    return siege


def _sum(figures: Figures, name: str) -> float:
    families = {family.name: family for family in figures.registry.collect()}
    samples = families[name].samples
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


def test_hostile_messages_are_answered_counted_and_kept_within_bounds(
    siege: Siege, place: Place
) -> None:
    kept = Kept(place)
    assert sum(siege.results.values()) == MANY == _sum(siege.figures, "cleandesk_messages")
    away = siege.results[AckStatus.QUARANTINED] + siege.results[AckStatus.REFUSED]
    assert away + siege.unanswered == _sum(siege.figures, "cleandesk_rejected")
    assert min(siege.results.values()) > 0
    assert set(siege.results) == {*AckStatus, None}
    assert set(siege.causes) >= {"topic", "channel", "site", "size", "json", "fields", "still"}
    _everything_committed_is_there_once(siege, kept)
    _the_honest_box_was_not_disturbed(siege, kept)
    _quarantine_is_bounded(kept)
    _whatever_is_logged_can_be_shown(place)


def _everything_committed_is_there_once(siege: Siege, kept: Kept) -> None:
    rows = kept.all(select(events.c.event_id, events.c.payload))
    assert {row["event_id"]: row["payload"] for row in rows} == siege.committed
    assert len(rows) == len(siege.committed)


def _the_honest_box_was_not_disturbed(siege: Siege, kept: Kept) -> None:
    honest = events.c.box == HONEST.box
    numbers = [row["seq"] for row in kept.all(select(events.c.seq).where(honest))]
    assert sorted(numbers) == list(range(1, siege.hostile.honest + 1))
    mine = violations.c.box == HONEST.box
    assert kept.all(select(func.count()).where(mine))[0]["count_1"] == len(
        {seq // 3 for seq in numbers}
    )
    assert kept.all(select(alarms).where(alarms.c.box == HONEST.box)) == []
    assert kept.all(select(quarantine).where(quarantine.c.box == HONEST.box)) == []


def _quarantine_is_bounded(kept: Kept) -> None:
    rows = kept.rows(quarantine)
    assert len(rows) == MOST_KEPT
    for row in rows:
        beside = sum(len(str(row[name]).encode()) for name in row if name != "payload")
        assert len(row["payload"]) <= MAX_KEPT_BYTES
        assert beside <= MOST_BESIDE
    with kept.reader.connect() as connection:
        assert queries.counter(connection, DROPPED) > 0


def _whatever_is_logged_can_be_shown(place: Place) -> None:
    """By every command in every form, and by the figures; no text steers what shows it."""
    every = (
        (queries.VIOLATIONS, queries.find_violations),
        (queries.EVENTS, queries.find_events),
        (queries.APPEALS, queries.find_appeals),
        (queries.ALARMS, queries.find_alarms),
        (queries.QUARANTINE, queries.find_quarantined),
        (queries.BOXES, queries.find_boxes),
        (queries.LOSSES, queries.find_losses),
    )
    newest = queries.Filter(limit=500)
    reader = open_reader(place)
    with reader.connect() as connection:
        for view, find in every:
            rows = list(find(connection, newest))
            assert rows
            for form in Format:
                stream = io.StringIO()
                Writer(form, columns=view.columns, every=view.every, stream=stream).write(rows)
                text = stream.getvalue()
                if form is Format.TABLE:
                    assert all(char.isprintable() or char == "\n" for char in text)
    found = {family.name for family in FleetState(reader, lambda: True).collect()}
    assert {"cleandesk_boxes", "cleandesk_events_lost", "cleandesk_quarantine_messages"} <= found
