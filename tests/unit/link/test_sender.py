"""The order, number and time of what is sent."""

import pytest

from cleandesk.link.records import Pending
from cleandesk.link.sender import WINDOW, Sender


class Bench:
    """A sender over a plain list of events."""

    def __init__(self, count: int) -> None:
        self.waiting = {id_: Pending(id_, f"event-{id_}", b"") for id_ in range(1, count + 1)}
        self.sender = Sender(self.fetch, ack_timeout_s=10, retry_max_s=60)

    def fetch(self, after: int, limit: int) -> list[Pending]:
        return [one for id_, one in sorted(self.waiting.items()) if id_ > after][:limit]

    def sent(self, now: float) -> list[int]:
        return [sending.event.id for sending in self.sender.due(now)]

    def replayed(self, now: float) -> dict[int, bool]:
        return {sending.event.id: sending.replayed for sending in self.sender.due(now)}

    def answer(self, *ids: int, now: float) -> None:
        for id_ in ids:
            self.waiting.pop(id_, None)
        self.sender.answered([f"event-{id_}" for id_ in ids], now)


def test_events_are_sent_in_order_and_no_more_than_the_window() -> None:
    bench = Bench(WINDOW + 50)
    bench.sender.connected(0)
    assert bench.sent(0) == list(range(1, WINDOW + 1))
    assert bench.sent(1) == []
    bench.answer(1, 2, 3, now=2)
    assert bench.sent(2) == [WINDOW + 1, WINDOW + 2, WINDOW + 3]


def test_what_was_committed_before_the_connection_is_a_replay_and_nothing_else() -> None:
    bench = Bench(4)
    bench.sender.connected(2)
    assert bench.replayed(0) == {1: True, 2: True, 3: False, 4: False}
    bench.sender.connected(4)
    assert set(bench.replayed(1).values()) == {True}


def test_an_event_that_is_sent_once_more_is_a_replay() -> None:
    bench = Bench(2)
    bench.sender.connected(0)
    bench.sent(0)
    bench.answer(2, now=1)
    assert bench.replayed(11) == {1: True}


def test_one_unanswered_event_does_not_hold_up_the_others() -> None:
    bench = Bench(300)
    bench.sender.connected(0)
    now, seen = 0.0, set()
    while len(bench.waiting) > 1 and now < 100:
        for id_ in bench.sent(now):
            seen.add(id_)
            if id_ != 1:
                bench.answer(id_, now=now)
        now += 1
    assert list(bench.waiting) == [1]
    assert seen == set(range(1, 301))


def test_silence_narrows_to_the_oldest_ever_more_rarely() -> None:
    bench = Bench(50)
    bench.sender.connected(0)
    assert len(bench.sent(0)) == 50
    sent = [(second, id_) for second in range(1, 3601) for id_ in bench.sent(second)]
    assert {id_ for _, id_ in sent} <= {1, 2, 3, 4}
    assert 60 <= len(sent) <= 60 * 60 / 45 * 4
    assert not bench.sender.flowing


def test_the_first_answer_opens_the_window_again() -> None:
    bench = Bench(50)
    bench.sender.connected(0)
    for second in range(600):
        bench.sent(second)
    bench.answer(1, now=600)
    assert set(bench.sent(600)) >= set(range(5, 51))
    assert bench.sender.flowing


def test_nobody_subscribed_is_tried_again_later_from_the_oldest() -> None:
    bench = Bench(20)
    bench.sender.connected(0)
    for id_ in bench.sent(0):
        bench.sender.unheard(f"event-{id_}", 0)
    assert bench.sent(1) == []
    due = bench.sender.next_due()
    assert due is not None
    assert 7 <= due <= 10
    assert bench.replayed(due) == {1: True}
    bench.answer(1, now=due)
    assert bench.sent(due) == list(range(2, 21))


def test_a_refused_event_waits_alone() -> None:
    bench = Bench(5)
    bench.sender.connected(0)
    bench.sent(0)
    bench.sender.refused("event-3", 0)
    bench.answer(1, 2, 4, 5, now=1)
    assert bench.sender.flowing
    sent = [id_ for second in range(2, 60) for id_ in bench.sent(second)]
    assert set(sent) == {3}


@pytest.mark.parametrize("answered", [(3, 1, 2), (2,), ()])
def test_a_new_connection_starts_from_the_oldest(answered: tuple[int, ...]) -> None:
    bench = Bench(6)
    bench.sender.connected(0)
    bench.sent(0)
    bench.answer(*answered, now=1)
    bench.sender.connected(6)
    assert bench.sent(2) == [id_ for id_ in range(1, 7) if id_ not in answered]
