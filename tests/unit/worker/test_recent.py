"""What the worker can object to stays in sight: what is open, and what was until a day ago."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cleandesk.clock import Instant
from cleandesk.contract.messages import Phase
from cleandesk.contract.worker_messages import AppealReason
from cleandesk.policy import Change
from cleandesk.worker.recent import Recent
from tests.unit.link.make import change
from tests.unit.worker.make import START


def at(hours: float) -> Instant:
    return Instant(1000 + hours * 3600, START + timedelta(hours=hours), synced=True)


def opened(number: int, hours: float = 0) -> Change:
    return replace(change(f"{number:032x}"), opened=at(hours), at=at(hours))


def closed(number: int, hours: float) -> Change:
    return replace(opened(number), phase=Phase.CLOSE, at=at(hours))


def ids(recent: Recent, hours: float) -> list[int]:
    return [int(one.violation_id, 16) for one in recent.list(at(hours).utc)]


def test_one_that_is_open_for_long_is_shown_for_a_day_after_its_end() -> None:
    recent = Recent()
    recent.take([opened(1), closed(1, 30)])
    assert ids(recent, 31) == ids(recent, 54) == [1]
    assert recent.objected(f"{1:032x}", AppealReason.WRONG)
    assert ids(recent, 55) == []


def test_of_too_many_the_first_to_go_is_closed_for_the_longest_time() -> None:
    recent = Recent()
    recent.take(opened(number) for number in range(50))
    recent.take([closed(7, 2), closed(3, 1)])
    recent.take([opened(50, 3)])
    assert 3 not in ids(recent, 3)
    recent.take([opened(51, 3)])
    assert set(ids(recent, 3)) == set(range(52)) - {3, 7}


@given(st.lists(st.tuples(st.integers(0, 80), st.booleans()), max_size=300))
def test_no_closed_one_pushes_out_one_that_is_open(steps: list[tuple[int, bool]]) -> None:
    recent, open_now = Recent(), set[int]()
    for hour, (number, opens) in enumerate(steps):
        if opens and number not in open_now and len(open_now) < 50:
            open_now.add(number)
            recent.take([opened(number, hour / 100)])
        elif not opens and number in open_now:
            open_now.remove(number)
            recent.take([closed(number, hour / 100)])
        assert open_now <= set(ids(recent, hour / 100))
        assert len(ids(recent, hour / 100)) <= 50
