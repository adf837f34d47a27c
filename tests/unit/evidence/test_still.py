"""Stills of a real desk: the thing is seen, people are not, and what cannot be shown is refused."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.detector import Detections, Detector
from cleandesk.evidence import Refusal, StillMaker, StillRefusedError
from cleandesk.evidence.faces import FaceFinder
from cleandesk.evidence.people import PeopleFinder
from cleandesk.evidence.planner import STRICTER, Planner
from cleandesk.evidence.redaction import FILL, draw
from cleandesk.policy.change import Place
from cleandesk.settings import StillSettings
from tests.unit.evidence.keys import certificate_of, opened, rsa_key

Image = NDArray[np.uint8]
SETTINGS = StillSettings()


@pytest.fixture(scope="module")
def planner(detector: Detector, faces: FaceFinder) -> Planner:
    people = PeopleFinder(detector, score=SETTINGS.person_score / STRICTER)
    return Planner(SETTINGS, people, faces)


@pytest.fixture(scope="module")
def maker(planner: Planner) -> StillMaker:
    return StillMaker(planner, longest_side=SETTINGS.longest_side, seal=None)


def _place(seen: Detections, name: str) -> Place:
    width, height = seen.size
    x1, y1, x2, y2 = next(box for found, _, box in seen if found == name)
    return x1 / width, y1 / height, x2 / width, y2 / height


def _with_person(
    seen: Detections, box: tuple[float, float, float, float], score: float
) -> Detections:
    """Return detections that tell of somebody too."""
    person = seen.names.index("person")
    return replace(
        seen,
        boxes=np.vstack([seen.boxes, np.array([box], np.float32)]),
        scores=np.append(seen.scores, np.float32(score)),
        class_ids=np.append(seen.class_ids, person),
    )


@pytest.mark.parametrize("name", ["phone", "paper"])
def test_it_shows_the_thing_as_it_is_and_its_surroundings_in_blocks(
    planner: Planner, desk: Image, seen: Detections, name: str
) -> None:
    plan = planner.plan(desk, seen, _place(seen, name))
    assert plan.alone
    assert plan.shown() == 1
    (x, y), (x1, y1, x2, y2) = plan.crop[:2], plan.thing
    picture = draw(desk, plan)
    np.testing.assert_array_equal(picture[y1 - y : y2 - y, x1 - x : x2 - x], desk[y1:y2, x1:x2])
    above = picture[: y1 - y].reshape(-1, 3)
    assert 1 < len(np.unique(above, axis=0)) < 60


def test_it_is_a_small_jpeg_and_the_same_each_time(
    maker: StillMaker, desk: Image, seen: Detections
) -> None:
    before = desk.copy()
    still = maker.make(desk, seen, _place(seen, "phone"))
    assert still.media_type == "image/jpeg"
    assert len(still.content) < 100_000
    image = cv2.imdecode(np.frombuffer(still.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert max(image.shape) <= SETTINGS.longest_side
    assert maker.make(desk, seen, _place(seen, "phone")) == still
    np.testing.assert_array_equal(desk, before)


def test_a_person_over_the_thing_leaves_no_still(
    planner: Planner, desk: Image, seen: Detections
) -> None:
    height, width = desk.shape[:2]
    everywhere = _with_person(seen, (0, 0, width, height), 0.02)
    with pytest.raises(StillRefusedError, match="somebody may be where the thing is") as refused:
        planner.plan(desk, everywhere, _place(seen, "phone"))
    assert refused.value.refusal is Refusal.COVERED


def test_a_person_beside_the_thing_is_filled_wherever_its_box_begins(
    planner: Planner, desk: Image, seen: Detections
) -> None:
    place = _place(seen, "paper")
    thing = planner.plan(desk, seen, place).thing
    edge = thing[2] - (thing[2] - thing[0]) // 4
    beside = (float(edge), 0.0, float(desk.shape[1]), float(desk.shape[0]))
    plan = planner.plan(desk, _with_person(seen, beside, 0.02), place)
    assert plan.alone
    assert 0.5 < plan.shown() < 0.76
    picture = draw(desk, plan)
    assert (picture[:, edge - plan.crop[0] :] == FILL).all()


def test_while_somebody_is_about_only_the_thing_is_shown(
    planner: Planner, desk: Image, seen: Detections
) -> None:
    place = _place(seen, "phone")
    far = _with_person(seen, (0, 0, 5, 5), 0.9)
    plan = planner.plan(desk, far, place)
    assert not plan.alone
    (x, y), (x1, y1, x2, y2) = plan.crop[:2], plan.thing
    around = np.ones((plan.crop[3] - y, plan.crop[2] - x), np.bool_)
    around[y1 - y : y2 - y, x1 - x : x2 - x] = False
    assert (draw(desk, plan)[around] == FILL).all()


def test_a_face_on_the_thing_is_filled(
    planner: Planner, detector: Detector, people_at_a_table: Image
) -> None:
    height, width = people_at_a_table.shape[:2]
    nothing = Detections.none(detector.names, (width, height))
    with pytest.raises(StillRefusedError):
        planner.plan(people_at_a_table, nothing, (260 / 640, 170 / 427, 360 / 640, 270 / 427))


@pytest.mark.parametrize(
    "place", [(0.5, 0.5, 0.501, 0.9), (1.2, 0.1, 1.4, 0.3), (-0.5, 0, 0.0, 1), (0.9, 0.9, 0.2, 0.2)]
)
def test_what_is_too_small_to_be_seen_is_refused(
    planner: Planner, desk: Image, seen: Detections, place: Place
) -> None:
    with pytest.raises(StillRefusedError) as refused:
        planner.plan(desk, seen, place)
    assert refused.value.refusal is Refusal.TOO_SMALL


def test_detections_of_another_frame_are_refused(
    planner: Planner, desk: Image, seen: Detections
) -> None:
    with pytest.raises(ValueError, match="this is a"):
        planner.plan(desk[:-2], seen, _place(seen, "phone"))


def test_the_site_can_have_them_sealed(
    tmp_path: Path, detector: Detector, desk: Image, seen: Detections
) -> None:
    certificate, key = certificate_of(tmp_path, "site", rsa_key(2048))
    sealed = StillMaker.load(StillSettings(encrypt_to=certificate), detector)
    still = sealed.make(desk, seen, _place(seen, "phone"))
    assert still.media_type == "application/pkcs7-mime"
    assert opened(still.content, key).stdout.startswith(b"\xff\xd8\xff\xe0\x00\x10JFIF")
