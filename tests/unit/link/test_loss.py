"""Lost ranges: few, and never too narrow."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cleandesk.link import loss

EPOCHS = ("a" * 32, "b" * 32, "c" * 32)


def spanned(losses: loss.Losses) -> set[tuple[str, int]]:
    return {(one.epoch, seq) for one in losses for seq in range(one.first, one.last + 1)}


def test_neighbours_become_one_range() -> None:
    losses = loss.add((), EPOCHS[0], [(1, 3)], "full")
    losses = loss.add(losses, EPOCHS[0], [(4, 4), (6, 7)], "full")
    assert [(one.first, one.last) for one in losses] == [(1, 4), (6, 7)]


def test_reasons_stay_apart() -> None:
    losses = loss.add(loss.add((), EPOCHS[0], [(1, 3)], "full"), EPOCHS[0], [(4, 5)], "disk")
    assert [(one.last, one.reason) for one in losses] == [(3, "full"), (5, "disk")]


@given(st.lists(st.tuples(st.sampled_from(EPOCHS), st.integers(1, 2000)), max_size=400))
def test_however_many_are_lost_the_list_is_short_and_holds_them_all(
    lost: list[tuple[str, int]],
) -> None:
    losses: loss.Losses = ()
    for epoch, seq in lost:
        losses = loss.add(losses, epoch, [(seq, seq)], "full")
    assert len(losses) <= loss.MAX_RANGES
    assert set(lost) <= spanned(losses)
    if len(set(lost)) <= loss.MAX_RANGES:
        assert set(lost) == spanned(losses)
        assert loss.count(losses) == len(set(lost))


@given(st.sets(st.integers(1, 60)), st.integers(1, 60), st.integers(0, 60))
def test_gaps_are_what_is_not_there(there: set[int], first: int, last: int) -> None:
    missing = {seq for start, end in loss.gaps(first, last, there) for seq in range(start, end + 1)}
    assert missing == set(range(first, last + 1)) - there


@given(st.sets(st.integers(1, 100)))
def test_runs_are_the_same_numbers(seqs: set[int]) -> None:
    runs = loss.runs_of(seqs)
    assert {seq for first, last in runs for seq in range(first, last + 1)} == seqs
    assert all(after[0] > before[1] + 1 for before, after in pairwise(runs))
