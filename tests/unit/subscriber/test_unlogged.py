"""What boxes say while nobody judges is kept for as long as that may last, and is bounded."""

import pytest

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.database import FROZEN_S
from cleandesk_fleet.subscriber.intake import Report
from cleandesk_fleet.subscriber.unlogged import KEPT_S, Unlogged, kept_s
from tests.unit.subscriber.make import status


def word(box: str, state: str = "online") -> Report:
    read = status(state, box=Address("s1", box))
    assert isinstance(read, Report)
    return read


@pytest.mark.parametrize("keepalive_s", [5, 30, 60, 600])
def test_it_is_kept_for_as_long_as_a_judge_may_not_notice_that_it_hears_nothing(
    keepalive_s: int,
) -> None:
    kept = Unlogged(kept_s(keepalive_s))
    kept.keep(word("b1"), 0)
    assert kept_s(keepalive_s) >= KEPT_S
    assert len(kept.recent(2 * keepalive_s + FROZEN_S + 2)) == 1
    assert kept.recent(kept_s(keepalive_s) + 1) == []


def test_of_each_box_the_newest_word_is_kept_however_long_that_is() -> None:
    kept = Unlogged(kept_s(600))
    for turn in range(100):
        for box in range(10):
            kept.keep(word(f"b{box}", "online" if turn % 2 else "offline"), turn)
    assert kept.recent(100) == [word(f"b{box}") for box in range(10)]
