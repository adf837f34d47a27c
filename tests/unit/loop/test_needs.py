"""What the rules need bounds both the gate and the governor."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.loop import needs_of
from cleandesk.settings import PresenceRule
from tests.unit.loop.search import SEARCH


def rule(**changes: Any) -> PresenceRule:
    values = {"name": "r", "zone": "desk", "classes": ["phone"]} | changes
    return PresenceRule.model_validate(values)


@pytest.mark.parametrize(
    ("rules", "deadline_s"),
    [
        ([rule()], 2.0),  # nothing goes unseen for longer, though half of the dwell time is 2.5 s
        ([rule(dwell_s=3)], 1.5),
        ([rule(dwell_s=3), rule(dwell_s=1)], 0.5),
        ([rule(dwell_s=30, clear_after_s=2)], 1.0),
        ([rule(dwell_s=0)], 0.0),
    ],
)
def test_the_deadline_is_half_of_the_shortest_time(
    rules: list[PresenceRule], deadline_s: float
) -> None:
    assert needs_of(rules, 5).deadline_s == deadline_s


@SEARCH
@given(
    st.lists(
        st.builds(
            rule,
            dwell_s=st.floats(0, 600),
            clear_after_s=st.floats(1, 600),
            hits=st.just(1),
            of=st.integers(1, 20),
        ),
        min_size=1,
        max_size=5,
    ),
    st.floats(0.1, 60),
)
def test_the_least_rate_has_room_for_every_rule(
    rules: list[PresenceRule], looks_per_s: float
) -> None:
    least = needs_of(rules, looks_per_s).least_looks_per_s
    assert 0 < least <= looks_per_s
    if least < looks_per_s:
        for one in rules:
            assert one.dwell_s * least >= one.of * 0.999
            assert one.clear_after_s * least >= 2 * one.of * 0.999
        assert 1 / least <= max(5 / looks_per_s, 1), "more than counts as observed"


def test_a_rule_without_dwell_time_keeps_the_rate() -> None:
    assert needs_of([rule(dwell_s=0)], 5).least_looks_per_s == 5


def test_looks_that_settle_are_enough_for_the_widest_rule() -> None:
    assert needs_of([rule(), rule(of=30)], 5).settle_looks == 60
