"""A wrong find is told from the next: what it truly is."""

import pytest

from models.evaluation.confusion import LOOSE, NOTHING, TWICE, UNSURE, confuse
from models.evaluation.sets import Labelled
from tests.unit.models.evaluation.makers import FAR, NAMES, A, B, found, labelled, picture

THRESHOLDS = dict.fromkeys(NAMES, 0.5)
ALL = frozenset(NAMES)
BESIDE = [6.0, 0, 16, 10]  # overlaps A by a quarter


@pytest.mark.parametrize(
    ("things", "others", "box", "truly"),
    [
        ({"phone": labelled(A)}, {}, A, "phone"),
        ({"notebook": labelled(A)}, {}, A, "notebook"),
        ({}, {"wallet": labelled(A)}, A, "wallet"),
        ({"phone": labelled(A)}, {}, BESIDE, LOOSE),
        ({}, {}, A, NOTHING),
        ({"notebook": labelled(A, ignored=True)}, {}, A, UNSURE),
        ({"notebook": labelled(A, ignored=True), "paper": labelled(A)}, {}, A, "paper"),
        ({"notebook": labelled(FAR)}, {"wallet": labelled(B)}, A, NOTHING),
    ],
)
def test_a_find_is_what_it_covers(
    things: dict[str, Labelled], others: dict[str, Labelled], box: list[float], truly: str
) -> None:
    seen = [found(("phone", box, 0.9))]
    result = confuse(seen, [picture(things, others)], THRESHOLDS, ALL)
    assert dict(result.said) == {("phone", truly): 1}


def test_a_second_box_on_one_thing_is_no_other_thing() -> None:
    seen = [found(("phone", A, 0.9), ("phone", A, 0.8))]
    result = confuse(seen, [picture({"phone": labelled(A)})], THRESHOLDS, ALL)
    assert result.wrong() == [("phone", TWICE, 1)]


def test_weak_finds_and_ignored_places_do_not_count() -> None:
    seen = [found(("phone", A, 0.9), ("phone", FAR, 0.4))]
    result = confuse(seen, [picture({"phone": labelled(A, ignored=True)})], THRESHOLDS, ALL)
    assert not result.said


def test_what_was_not_said_is_missed() -> None:
    there = picture({"phone": labelled(A, B), "paper": labelled(FAR)})
    result = confuse([found(("phone", A, 0.9))], [there], THRESHOLDS, ALL)
    assert (result.missed["phone"], result.missed["paper"]) == (1, 1)


def test_a_lookalike_knows_what_it_was_taken_for() -> None:
    there = picture({}, {"wallet": labelled(A, B)})
    result = confuse([found(("phone", A, 0.9))], [there], THRESHOLDS, ALL)
    assert result.others["wallet"] == 2
    assert result.taken_for("wallet") == [("phone", 1)]
    assert result.columns(["phone"])[:2] == ["phone", "wallet"]
