"""Stills of pictures with people show nobody: no labelled pixel, no face for another detector.

By default of a few pictures; `PICTURES=all` takes every one in ../shared, `PICTURES=100` so many.
"""

import os
from collections import Counter
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.detector import Detections, Detector
from cleandesk.evidence.encode import encode
from cleandesk.evidence.errors import StillRefusedError
from cleandesk.evidence.faces import FaceFinder
from cleandesk.evidence.people import PeopleFinder
from cleandesk.evidence.planner import STRICTER, Planner
from cleandesk.evidence.redaction import Plan, draw
from cleandesk.settings import StillSettings
from tests.privacy.adversary import Adversary
from tests.privacy.labelled import Box, Picture, labelled, spread
from tests.rig import SHARED

WANTED = os.environ.get("PICTURES") or "10"
SETTINGS = StillSettings()
Image = NDArray[np.uint8]
pytestmark = [
    pytest.mark.skipif(
        not (SHARED / "data").is_dir(), reason="the labelled pictures in ../shared are not here"
    ),
    pytest.mark.timeout(0 if os.environ.get("PICTURES") else 300),
]


@pytest.fixture(scope="module")
def planner() -> Planner:
    people = PeopleFinder(Detector.load(), score=SETTINGS.person_score / STRICTER)
    return Planner(SETTINGS, people, FaceFinder())


@dataclass
class Findings:
    """What came of all pictures; lines for people in the lists.

    Attributes:
        outcomes: How many stills were made, or refused and why.
        pixels: Stills that show something of where a person is labelled.
        faces: Faces that the other detector sees in a still, where a person is labelled.
        elsewhere: The same where none is: wrong ones.
        undisguised: Faces that it sees there in the crops as they were, so that it is not blind.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    pixels: list[str] = field(default_factory=list)
    faces: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    undisguised: int = 0

    def __str__(self) -> str:
        parts = [f"{name}: {count}" for name, count in sorted(self.outcomes.items())]
        parts += [f"faces that the other detector sees in the pictures: {self.undisguised}"]
        for name in ("pixels", "faces", "elsewhere"):
            lines = getattr(self, name)
            parts += [f"{name}: {len(lines)}", *(f"  {line}" for line in lines)]
        return "\n".join(parts)


def test_no_still_shows_a_labelled_person(planner: Planner) -> None:
    every, adversary, findings = _with_people(), Adversary(), Findings()
    for picture in every if WANTED == "all" else spread(every, int(WANTED)):
        image = _read(picture)
        faces = adversary.faces(image)
        findings.undisguised += sum(_overlaps(face, picture.people) for face in faces)
        for box in picture.crops():
            plan = _plan(planner, image, box)
            findings.outcomes[plan if isinstance(plan, str) else "stills"] += 1
            if isinstance(plan, Plan):
                _examine(picture, image, plan, adversary, findings)
    print(f"\n{findings}")  # noqa: T201 - the figures are what this is run for
    assert findings.undisguised > 0
    assert findings.pixels == []
    assert findings.faces == []


def test_things_that_lie_alone_are_shown(planner: Planner) -> None:
    alone = [p for p in labelled("coco_desk_dev", "pen_overhead") if p.things and not p.people]
    plans = [_plan(planner, _read(p), p.things[0]) for p in spread(alone, 10)]
    shown = [plan for plan in plans if isinstance(plan, Plan)]
    print(f"\nstills of things that lie alone: {len(shown)} of {len(plans)}")  # noqa: T201
    assert len(shown) >= len(plans) / 2


def _with_people() -> list[Picture]:
    return [picture for picture in labelled() if picture.people]


def _read(picture: Picture) -> Image:
    image = cv2.imread(str(picture.path))
    assert image is not None
    return np.asarray(image, np.uint8)


def _plan(planner: Planner, image: Image, box: Box) -> Plan | str:
    """Return the plan of a still, or why there is none."""
    x1, y1, x2, y2 = box
    height, width = image.shape[:2]
    nothing = Detections.none(("person",), (width, height))
    try:
        return planner.plan(image, nothing, (x1 / width, y1 / height, x2 / width, y2 / height))
    except StillRefusedError as refused:
        return f"refused, {refused.refusal}"


def _examine(
    picture: Picture, image: Image, plan: Plan, adversary: Adversary, findings: Findings
) -> None:
    """See whether anybody can be seen: changes of their pixels must change nothing."""
    drawn = draw(image, plan)
    changed = (drawn != draw(_with_noise(image, picture.people), plan)).any(axis=2)
    if changed.any():
        inside = int((changed & _thing(plan)).sum())
        findings.pixels.append(
            f"{picture.path.name} {plan.crop}: {changed.sum()} pixels, {inside} of the thing"
        )
    jpeg = np.frombuffer(encode(drawn, SETTINGS.longest_side), np.uint8)
    still = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert still is not None
    for face in adversary.faces(np.asarray(still, np.uint8)):
        there = _in_picture(face, plan, still.shape[1], still.shape[0])
        lines = findings.faces if _overlaps(there, picture.people) else findings.elsewhere
        lines.append(f"{picture.path.name} {plan.crop}: {[round(v) for v in there]}")


def _with_noise(image: Image, people: tuple[Box, ...]) -> Image:
    """Return the picture with noise wherever a person is labelled."""
    changed, noise = image.copy(), np.random.default_rng(1)
    for x1, y1, x2, y2 in people:
        part = changed[max(0, int(y1)) : int(np.ceil(y2)), max(0, int(x1)) : int(np.ceil(x2))]
        part[:] = noise.integers(0, 256, part.shape, np.uint8)
    return changed


def _thing(plan: Plan) -> NDArray[np.bool_]:
    x, y, right, bottom = plan.crop
    x1, y1, x2, y2 = plan.thing
    mask = np.zeros((bottom - y, right - x), np.bool_)
    mask[y1 - y : y2 - y, x1 - x : x2 - x] = True
    return mask


def _overlaps(face: Box, people: tuple[Box, ...]) -> bool:
    x1, y1, x2, y2 = face
    return any(x1 < p[2] and p[0] < x2 and y1 < p[3] and p[1] < y2 for p in people)


def _in_picture(face: Box, plan: Plan, width: int, height: int) -> Box:
    """Return where a box in a still of this size lies in the picture that it was made of."""
    left, top, right, bottom = plan.crop
    across, down = (right - left) / width, (bottom - top) / height
    x1, y1, x2, y2 = face
    return left + x1 * across, top + y1 * down, left + x2 * across, top + y2 * down
