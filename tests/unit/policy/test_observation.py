"""From detections to things in zones."""

import numpy as np
import pytest

from cleandesk.detector.detections import Detections
from cleandesk.policy.observation import Observation, Observer
from tests.unit.policy.traces import NAMES, PHONE_AT, SIZE, THRESHOLD, ZONES, Found, frame


def observer(*classes: str) -> Observer:
    floors = [0.2 if name in (*classes, "person") else float("inf") for name in NAMES]
    return Observer(ZONES, NAMES, threshold_of=lambda _: THRESHOLD, floors=floors)


def observe(*found: Found) -> Observation:
    return observer("phone", "paper", "notebook").observe(frame(*found))


def test_places_are_fractions_of_the_picture() -> None:
    (thing,) = observe(("phone", 0.9, PHONE_AT)).things
    assert thing.place == pytest.approx(PHONE_AT, abs=1e-6)
    assert thing.shares == pytest.approx((1.0, 1.0), abs=1e-3)


def test_boxes_end_at_the_picture_s_edge() -> None:
    (thing,) = observe(("phone", 0.9, (-0.1, 0.5, 0.1, 1.2))).things
    assert thing.place == pytest.approx((0, 0.5, 0.1, 1.0), abs=1e-6)


@pytest.mark.parametrize(
    "found",
    [
        ("phone", 0.19, PHONE_AT),
        ("cup", 0.9, PHONE_AT),
        ("phone", float("nan"), PHONE_AT),
        ("phone", 0.9, (0.3, 0.5, 0.3, 0.6)),
        ("phone", 0.9, (0.4, 0.5, 0.3, 0.6)),
        ("phone", 0.9, (float("nan"), 0.5, 0.3, 0.6)),
        ("phone", 0.9, (1.1, 0.5, 1.3, 0.6)),
    ],
    ids=["weak", "unlisted class", "no score", "flat", "inside out", "no number", "outside"],
)
def test_what_no_rule_can_use_is_left_out(found: Found) -> None:
    assert observe(found).things == ()


def test_persons_are_kept_for_every_rule() -> None:
    seen = observe(("person", 0.3, (0.1, 0.1, 0.3, 0.9)), ("phone", 0.9, PHONE_AT))
    assert len(seen.persons) == 1
    assert seen.aspect == pytest.approx(16 / 9)


SHEET = (0.5, 0.5, 0.7, 0.7)


@pytest.mark.parametrize(
    ("a", "b", "twins"),
    [
        (("paper", SHEET), ("paper", (0.52, 0.5, 0.72, 0.7)), True),
        (("paper", SHEET), ("paper", (0.5, 0.5, 0.6, 0.6)), True),
        (("paper", SHEET), ("notebook", (0.51, 0.5, 0.71, 0.7)), True),
        (("paper", SHEET), ("paper", (0.65, 0.5, 0.85, 0.7)), False),
        (("paper", SHEET), ("phone", (0.55, 0.55, 0.62, 0.65)), False),
        (("phone", PHONE_AT), ("phone", (0.37, 0.60, 0.45, 0.72)), False),
    ],
    ids=["shifted", "part", "other class", "beside", "phone on sheet", "phone by phone"],
)
def test_boxes_of_one_thing_are_twins(
    a: tuple[str, tuple[float, float, float, float]],
    b: tuple[str, tuple[float, float, float, float]],
    twins: bool,  # noqa: FBT001
) -> None:
    first, second = observe((a[0], 0.9, a[1]), (b[0], 0.8, b[1])).things
    assert (1 in first.twins, 0 in second.twins) == (twins, twins)


def test_a_crowded_frame_is_cut_to_its_best() -> None:
    many: list[Found] = [("phone", 0.2 + i / 1000, PHONE_AT) for i in range(500)]
    seen = observe(*many)
    assert len(seen.things) == 100
    assert min(t.score for t in seen.things) == pytest.approx(0.6, abs=1e-3)


def test_detections_of_another_model_are_refused() -> None:
    phones = observer("phone")
    with pytest.raises(ValueError, match=r"make the policy with the names of the detector"):
        phones.observe(Detections.none(("cat", "dog"), SIZE))


def test_an_empty_frame_is_an_empty_observation() -> None:
    empty = observe()
    assert (empty.things, empty.persons) == ((), ())
    assert np.isfinite(empty.aspect)
