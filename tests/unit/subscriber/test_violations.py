from itertools import permutations
from typing import Any

import pytest

from cleandesk_fleet.subscriber.intake import Event
from cleandesk_fleet.subscriber.violations import event_row, facts, merge
from tests.unit.subscriber.make import EPOCH, START, event

LIFE: list[dict[str, Any]] = [
    {"seq": 1, "phase": "open", "score": 0.8, "dwell_s": 5.0},
    {"seq": 2, "phase": "update", "score": 0.95, "dwell_s": 60.0, "suspended": True},
    {"seq": 3, "phase": "update", "score": 0.95, "dwell_s": 70.0},
    {"seq": 4, "phase": "close", "score": 0.9, "dwell_s": 80.0, "reason": "break"},
]


def life(*parts: dict[str, Any]) -> list[Event]:
    events = [event(**part) for part in parts]
    assert all(isinstance(one, Event) for one in events)
    return [one for one in events if isinstance(one, Event)]


def merged(events: list[Event]) -> dict[str, Any]:
    row: dict[str, Any] | None = None
    for one in events:
        row = merge(row, one, facts(one.message))
    assert row is not None
    return row


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_any_order_gives_the_same_violation(order: tuple[int, ...]) -> None:
    events = life(*LIFE)
    row = merged([events[i] for i in order])
    assert row == merged(events)
    assert row["closed_at"] == events[3].message.at
    assert (row["reason"], row["score"], row["dwell_s"], row["events"]) == ("break", 0.95, 80.0, 4)
    assert row["opened_at"] == START
    assert not row["suspended"]


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_the_place_is_where_it_opened(order: tuple[int, ...]) -> None:
    there, later = [0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 0.6, 0.6]
    events = life(LIFE[0] | {"place": there}, LIFE[3] | {"place": later})
    row = merged([events[i] for i in order])
    assert [row[side] for side in ("x1", "y1", "x2", "y2")] == there


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_without_a_close_the_newest_event_counts(order: tuple[int, ...]) -> None:
    events = life(*LIFE[:3])
    row = merged([events[i] for i in order])
    assert row["closed_at"] is None
    assert row["reason"] is None
    assert (row["dwell_s"], row["suspended"], row["last_seq"]) == (70.0, False, 3)


def test_across_epochs_time_decides() -> None:
    first, second = life(
        {"seq": 900, "phase": "open", "at": "2026-05-04T08:00:00Z", "dwell_s": 5.0},
        {
            "seq": 1,
            "phase": "update",
            "at": "2026-05-04T09:00:00Z",
            "dwell_s": 99.0,
            "epoch": "f" * 32,
        },
    )
    for order in ([first, second], [second, first]):
        row = merged(order)
        assert (row["dwell_s"], row["last_epoch"]) == (99.0, "f" * 32)


def test_one_late_event_marks_the_violation() -> None:
    opened = event(1, replayed=True)
    closed = event(2, phase="close")
    assert isinstance(opened, Event)
    assert isinstance(closed, Event)
    assert merged([opened, closed])["replayed"]
    assert merged([closed, opened])["replayed"]


def test_an_event_is_kept_word_for_word() -> None:
    (one,) = life({"seq": 5, "phase": "close"})
    row = event_row(one, facts(one.message), START)
    assert row["payload"] == one.payload
    assert (row["epoch"], row["seq"], row["reason"]) == (EPOCH, 5, "cleared")
