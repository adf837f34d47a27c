"""Two loops are compared only if they found the same things."""

import pytest

from cleandesk.bench.finds import Find, overlap, same_finds, steady

CUP = Find("cup", (0.1, 0.1, 0.3, 0.3))
CUP_NEARLY = Find("cup", (0.11, 0.1, 0.31, 0.3))
CUP_ELSEWHERE = Find("cup", (0.6, 0.6, 0.8, 0.8))
PEN = Find("pen", (0.1, 0.1, 0.3, 0.3))


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ([CUP], [CUP], True),
        ([CUP, PEN], [PEN, CUP_NEARLY], True),
        ([CUP], [CUP_ELSEWHERE], False),
        ([CUP], [PEN], False),
        ([CUP], [CUP, PEN], False),
        ([CUP, PEN], [CUP], False),
        ([], [], False),
    ],
)
def test_the_same_is_each_thing_in_its_place(
    ours: list[Find], theirs: list[Find], *, same: bool
) -> None:
    assert same_finds(ours, theirs) is same


def test_what_stands_in_most_messages_is_steady() -> None:
    messages = [[CUP, PEN], [CUP_NEARLY], [CUP], [CUP_ELSEWHERE, CUP]]
    assert steady(messages, ["cup", "pen"]) == [CUP]


def test_classes_that_nobody_asked_for_are_left_out() -> None:
    assert steady([[CUP, PEN]], ["pen"]) == [PEN]
    assert steady([], ["pen"]) == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0.0, 0.0, 1.0, 1.0), 1.0),
        ((0.0, 0.0, 0.5, 1.0), 0.5),
        ((0.5, 0.0, 1.5, 1.0), 1 / 3),
        ((2.0, 2.0, 3.0, 3.0), 0.0),
        ((0.5, 0.5, 0.5, 0.5), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(
    other: tuple[float, float, float, float], expected: float
) -> None:
    assert overlap((0.0, 0.0, 1.0, 1.0), other) == pytest.approx(expected)
    assert overlap(other, (0.0, 0.0, 1.0, 1.0)) == pytest.approx(expected)
