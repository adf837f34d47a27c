"""What each kind of rule sees in one look."""

import pytest

from cleandesk.policy import Place
from cleandesk.policy.observation import Observer
from cleandesk.policy.sightings import Sighting, sightings
from cleandesk.settings import Rule
from tests.unit.policy.traces import (
    NAMES,
    PEOPLE_RULE,
    PHONE_AT,
    PHONE_RULE,
    SCREEN_RULE,
    SHEET_RULE,
    THRESHOLD,
    ZONES,
    Found,
    frame,
)

WORKER: Place = (0.3, 0.1, 0.5, 0.8)
VISITOR: Place = (0.6, 0.1, 0.8, 0.8)
AT_SCREEN: Place = (0.38, 0.3, 0.42, 0.4)


def see(rule: Rule, *found: Found) -> list[Sighting]:
    floors = [0.1] * len(NAMES)
    observer = Observer(ZONES, NAMES, threshold_of=lambda _: THRESHOLD, floors=floors)
    return sightings(rule, observer.observe(frame(*found)), observer.zone_index[rule.zone])


def strengths(rule: Rule, *found: Found) -> list[bool]:
    return [sighting.strong for sighting in see(rule, *found)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (("phone", 0.5, PHONE_AT), [True]),
        (("phone", 0.49, PHONE_AT), [False]),
        (("phone", 0.2, PHONE_AT), [False]),
        (("phone", 0.19, PHONE_AT), []),
        (("paper", 0.9, PHONE_AT), []),
        (("phone", 0.9, (0.3, 0.34, 0.38, 0.46)), [True]),
        (("phone", 0.9, (0.3, 0.32, 0.38, 0.44)), [False]),
        (("phone", 0.9, (0.3, 0.28, 0.38, 0.40)), []),
    ],
    ids=["sure", "unsure", "held", "weak", "class", "half in", "a third in", "out"],
)
def test_presence_by_score_class_and_zone(found: Found, expected: list[bool]) -> None:
    assert strengths(PHONE_RULE, found) == expected


def test_presence_takes_two_boxes_of_one_thing_once_and_the_better() -> None:
    sheet = (0.5, 0.5, 0.7, 0.7)
    (seen,) = see(SHEET_RULE, ("paper", 0.6, sheet), ("notebook", 0.7, sheet))
    assert seen.class_name == "notebook"


def test_presence_takes_a_phone_on_a_sheet_as_two() -> None:
    rule = SHEET_RULE.model_copy(update={"classes": ["phone", "paper"]})
    sheet, phone = (0.5, 0.5, 0.7, 0.7), (0.55, 0.55, 0.62, 0.65)
    assert strengths(rule, ("paper", 0.9, sheet), ("phone", 0.8, phone)) == [True, True]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        ([("person", 0.9, WORKER)], []),
        ([("person", 0.9, WORKER), ("person", 0.6, VISITOR)], [True]),
        ([("person", 0.9, WORKER), ("person", 0.3, VISITOR)], [False]),
        ([("person", 0.9, WORKER), ("person", 0.1, VISITOR)], []),
        ([("person", 0.9, WORKER), ("person", 0.8, (0.3, 0.1, 0.5, 0.5))], []),
        ([("person", 0.9, WORKER), ("cup", 0.9, VISITOR)], []),
    ],
    ids=["nobody", "alone", "two", "perhaps two", "too weak", "half of one", "no person"],
)
def test_people_are_counted(found: list[Found], expected: list[bool]) -> None:
    assert strengths(PEOPLE_RULE, *found) == expected


def test_the_people_s_score_is_that_of_the_last_one_needed() -> None:
    (seen,) = see(PEOPLE_RULE, ("person", 0.9, WORKER), ("person", 0.6, VISITOR))
    assert seen.score == pytest.approx(0.6)
    assert seen.place == pytest.approx((0.3, 0.1, 0.8, 0.8), abs=1e-6)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("phone", 0.9, AT_SCREEN), ("person", 0.9, WORKER)], [True]),
        ([("phone", 0.3, AT_SCREEN), ("person", 0.9, WORKER)], [False]),
        ([("phone", 0.9, AT_SCREEN), ("person", 0.2, WORKER)], []),
        ([("phone", 0.9, AT_SCREEN)], []),
        ([("phone", 0.9, AT_SCREEN), ("person", 0.9, VISITOR)], []),
        ([("phone", 0.9, (0.48, 0.3, 0.56, 0.4)), ("person", 0.9, WORKER)], [False]),
        ([("phone", 0.9, (0.38, 0.57, 0.42, 0.67)), ("person", 0.9, WORKER)], [False]),
        ([("phone", 0.9, (0.38, 0.65, 0.42, 0.75)), ("person", 0.9, WORKER)], []),
    ],
    ids=[
        "held up",
        "unsure",
        "no sure person",
        "nobody",
        "beside",
        "a quarter on",
        "sinking",
        "on desk",
    ],
)
def test_a_phone_held_up_at_the_screen(found: list[Found], expected: list[bool]) -> None:
    assert strengths(SCREEN_RULE, *found) == expected
