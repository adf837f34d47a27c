"""Thresholds keep precision, by a bound that a few lucky finds do not reach."""

import pytest

from models.evaluation.threshold import (
    BLIND_SCORE,
    LEAST_SCORE,
    WANTED,
    blind,
    choose,
    least_of_real,
    sure,
    wilson,
)
from tests.unit.models.evaluation.makers import judged


@pytest.mark.parametrize(("wrong", "needed"), [(0, 5), (1, 33), (2, 57)])
def test_the_bound_asks_for_more_finds_with_every_mistake(wrong: int, needed: int) -> None:
    assert wilson(needed - wrong, needed) >= WANTED > wilson(needed - 1 - wrong, needed - 1)


def test_the_least_threshold_above_the_mistakes_is_taken() -> None:
    right = [0.99 - i / 100 for i in range(20)]  # down to .80
    choice = choose(judged(right, [0.7, 0.69, 0.68]))
    assert choice is not None
    assert choice.reached
    assert choice.threshold == pytest.approx(0.75, abs=0.001)
    assert (choice.shown, choice.right) == (20, 20)


def test_one_mistake_among_many_is_borne() -> None:
    right = [0.99 - i / 200 for i in range(60)]
    choice = choose(judged(right, [0.9]))
    assert choice is not None
    assert choice.reached
    assert (choice.shown, choice.right) == (61, 60)


def test_nothing_likelier_wrong_than_right_is_believed() -> None:
    choice = choose(judged([0.9] * 10 + [0.3] * 10, []))
    assert choice is not None
    assert choice.threshold >= LEAST_SCORE
    assert choice.shown == 10


def test_where_precision_is_not_reached_the_best_is_taken_and_said() -> None:
    right, wrong = [0.9 - i / 100 for i in range(8)], [0.905, 0.7] + [0.6] * 20
    choice = choose(judged(right, wrong))
    assert choice is not None
    assert not choice.reached
    assert (choice.shown, choice.right) == (9, 8)


def test_a_class_that_is_often_wrong_must_be_sure() -> None:
    finds = judged([0.7 - i / 100 for i in range(12)], [0.85, 0.72, 0.6] + [0.55] * 20)
    choice = choose(finds)
    assert choice is not None
    assert choice.threshold < BLIND_SCORE
    raised = sure(finds, choice)
    assert (raised.threshold, raised.reached) == (BLIND_SCORE, False)
    assert (raised.shown, raised.right) == (1, 0)


def test_a_threshold_that_reaches_the_precision_is_not_raised() -> None:
    finds = judged([0.75 - i / 100 for i in range(20)], [])
    choice = choose(finds)
    assert choice is not None
    assert sure(finds, choice) is choice


def test_too_few_finds_choose_nothing() -> None:
    assert choose(judged([0.9] * 7, [])) is None


def test_a_blind_threshold_lies_above_all_mistakes() -> None:
    assert blind(judged([], [])).threshold == BLIND_SCORE
    choice = blind(judged([0.95], [0.9]))
    assert 0.9 < choice.threshold < 0.95
    assert not choice.reached


def test_real_pictures_bear_one_mistake_in_a_hundred() -> None:
    assert least_of_real(judged([], [0.9], pictures=100)) == LEAST_SCORE
    assert 0.8 < least_of_real(judged([], [0.9, 0.8], pictures=100)) < 0.81
    assert least_of_real(judged([], [0.9], pictures=50)) > 0.9
