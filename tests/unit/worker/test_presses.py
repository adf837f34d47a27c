"""A push, or a long one: by the moments of the button, whenever they are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.worker.presses import Press, Presses

HOLD_S = 10.0


@pytest.mark.parametrize(
    ("held_s", "comes_to"), [(0.1, Press.SHORT), (9.9, Press.SHORT), (10, Press.LONG)]
)
def test_the_time_between_its_moments_decides(held_s: float, comes_to: Press) -> None:
    presses = Presses(HOLD_S)
    assert presses.goes(down=True, at=100) is None
    assert presses.goes(down=False, at=100 + held_s) is comes_to


def test_a_long_push_is_told_while_it_is_down_and_once() -> None:
    presses = Presses(HOLD_S)
    presses.goes(down=True, at=100)
    assert presses.left_s(103) == 7
    assert presses.lasts(109) is None
    assert presses.lasts(110) is Press.LONG
    assert presses.lasts(111) is None
    assert presses.left_s(111) is None
    assert presses.goes(down=False, at=112) is None


def test_one_that_was_down_before_anybody_looked_is_nothing() -> None:
    assert Presses(HOLD_S).goes(down=False, at=100) is None


@given(st.lists(st.tuples(st.floats(0.05, 30), st.floats(0.05, 30), st.booleans()), max_size=20))
def test_each_time_that_it_is_down_comes_to_one_thing(
    times: list[tuple[float, float, bool]],
) -> None:
    presses, now = Presses(HOLD_S), 0.0
    for down_s, up_s, looked in times:
        told = [presses.goes(down=True, at=now)]
        if looked:
            told.append(presses.lasts(now + down_s))
        told += [presses.goes(down=False, at=now + down_s), presses.lasts(now + down_s + up_s)]
        # As the sum is rounded, so is the wait.
        long = (now + down_s) - now >= HOLD_S
        assert [one for one in told if one] == [Press.LONG if long else Press.SHORT]
        now += down_s + up_s
