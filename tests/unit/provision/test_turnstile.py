"""So many boxes fetch at once; the others come later, and not all together."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cleandesk_fleet.provision.turnstile import Turnstile


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_who_is_one_too_many_is_told_when_to_come_and_is_let_in_then() -> None:
    clock = Clock()
    subject = Turnstile(2, clock)
    assert [subject.enter(name) for name in "ab"] == [0, 0]
    wait_s = subject.enter("c")
    assert 15 <= wait_s <= 17
    subject.leave("a")
    clock.now += wait_s
    assert subject.enter("c") == 0


def test_who_asks_for_the_next_part_has_kept_its_place() -> None:
    clock = Clock()
    subject = Turnstile(1, clock)
    assert subject.enter("a") == 0
    subject.leave("a")
    clock.now += 1
    assert subject.enter("b") > 0
    assert subject.enter("a") == 0
    subject.leave("a")
    clock.now += 11
    assert subject.enter("b") == 0
    assert subject.enter("a") > 0


def test_one_box_takes_one_place_however_often_it_comes() -> None:
    subject = Turnstile(3, Clock())
    assert subject.enter("a") == 0
    assert [subject.enter("a") for _ in range(5)] == [10] * 5
    assert subject.enter("b") == 0


def test_ten_thousand_at_once_come_back_a_few_a_second() -> None:
    clock = Clock()
    subject = Turnstile(50, clock)
    waits = [subject.enter(str(number)) for number in range(10_000)]
    assert waits.count(0) == 50
    back = Counter(wait for wait in waits if wait)
    assert max(back.values()) <= 11
    assert max(waits) < 1100, "and all of them within twenty minutes"


@given(steps=st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.floats(0, 20)), max_size=60))
def test_there_are_never_more_inside(steps: list[tuple[int, bool, float]]) -> None:
    clock, inside = Clock(), set[str]()
    subject = Turnstile(3, clock)
    for number, goes, passes in steps:
        clock.now += passes
        name = str(number)
        if goes and name in inside:
            subject.leave(name)
            inside.discard(name)
        elif not goes and subject.enter(name) == 0:
            inside.add(name)
        assert len(inside) <= 3
