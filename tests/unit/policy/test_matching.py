"""Which sighting belongs to which incident."""

import pytest

from cleandesk.policy import Place
from cleandesk.policy.gait import COUNTED, HELD, LYING, WALKING, Gait
from cleandesk.policy.incident import Incident
from cleandesk.policy.matching import origin_of, pair
from cleandesk.policy.sightings import Sighting
from tests.unit.policy.traces import Wall

AT: Place = (0.4, 0.5, 0.5, 0.7)


def sighting(place: Place, name: str = "phone") -> Sighting:
    return Sighting(place, 0.9, name, strong=True)


def incident(
    place: Place, name: str = "phone", gait: Gait = LYING, *, opened: bool = True
) -> Incident:
    made = Incident.begin(sighting(place, name), 0.0, gait)
    if opened:
        made.open("0" * 32, Wall().at(0))
    return made


def right(by: float) -> Place:
    """Return the place moved by so many of its widths."""
    return (AT[0] + by * 0.1, AT[1], AT[2] + by * 0.1, AT[3])


@pytest.mark.parametrize(
    ("place", "name", "same"),
    [
        (right(0.0), "phone", True),
        (right(0.6), "phone", True),
        (right(0.7), "phone", False),
        (right(1.0), "phone", False),
        ((0.4, 0.5, 0.45, 0.55), "phone", True),
        ((0.3, 0.3, 0.6, 0.9), "phone", True),
        ((0.47, 0.64, 0.53, 0.76), "phone", False),
        (right(0.4), "paper", True),
        (right(0.5), "paper", False),
        ((0.4, 0.5, 0.45, 0.55), "paper", False),
    ],
)
def test_a_lying_thing_is_known_by_overlap(place: Place, name: str, same: bool) -> None:  # noqa: FBT001
    found = pair([incident(AT)], [sighting(place, name)], 1.0, 16 / 9)
    assert found == ({0: 0} if same else {})


@pytest.mark.parametrize(
    ("gait", "by", "after", "same"),
    [
        (LYING, 1.2, 10.0, False),
        (WALKING, 1.2, 0.2, False),
        (WALKING, 1.2, 1.0, True),
        (WALKING, 4.0, 60.0, False),
        (HELD, 2.5, 0.2, True),
        (HELD, 5.5, 60.0, False),
        (COUNTED, 5.5, 60.0, True),
    ],
)
def test_what_roams_is_known_by_nearness_and_time(
    gait: Gait,
    by: float,
    after: float,
    same: bool,  # noqa: FBT001
) -> None:
    """One width is 0.66 of a diagonal here: 0.1 x 16/9 wide, 0.2 high."""
    found = pair([incident(AT, gait=gait)], [sighting(right(by))], after, 16 / 9)
    assert found == ({0: 0} if same else {})


def test_each_is_used_once_and_the_best_fit_goes_first() -> None:
    incidents = [incident(AT), incident(right(0.3))]
    found = [sighting(right(0.28)), sighting(right(0.05)), sighting(right(0.1))]
    assert pair(incidents, found, 1.0, 1.0) == {0: 1, 1: 0}


def test_an_open_incident_goes_before_a_candidate_that_fits_about_as_well() -> None:
    incidents = [incident(right(0.2), opened=False), incident(AT)]
    assert pair(incidents, [sighting(right(0.11))], 1.0, 1.0) == {1: 0}
    assert pair(incidents, [sighting(right(0.2))], 1.0, 1.0) == {0: 0}


@pytest.mark.parametrize(
    ("unseen", "found"),
    [
        (incident(AT), True),
        (incident(right(8.0)), False),
        (incident(AT, "paper"), False),
        (incident(AT, gait=WALKING), False),
    ],
    ids=["near", "far", "another class", "roams"],
)
def test_what_turns_up_may_have_been_slid_there(unseen: Incident, found: bool) -> None:  # noqa: FBT001
    origin = origin_of(sighting(right(1.5)), [unseen], 1.0, within_s=5)
    assert origin is (unseen if found else None)


def test_what_was_slid_comes_from_the_nearest_that_is_lately_gone() -> None:
    near, nearer, long_gone = incident(AT), incident(right(0.5)), incident(right(1.0))
    long_gone.absent_s = 6.0
    assert origin_of(sighting(right(1.5)), [near, nearer, long_gone], 1.0, within_s=5) is nearer
