"""What of a frame may be shown: looks for people and faces until none is left in the picture."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cleandesk.detector import Detections
from cleandesk.evidence.boxes import Box, Boxes, moved, square, whole, widened
from cleandesk.evidence.errors import Refusal, StillRefusedError
from cleandesk.evidence.faces import FaceFinder
from cleandesk.evidence.people import People, PeopleFinder
from cleandesk.evidence.redaction import Plan, draw
from cleandesk.policy.change import Place
from cleandesk.settings import StillSettings

#: From this score on of what may be a person, or with any face, somebody may be about.
ABOUT_SCORE = 0.05
#: Then what may be a person is filled from a score on that is so many times lower.
STRICTER = 10
#: What a person's box is made larger by on each side: of its own sides, and of the frame's longer.
PERSON_SHARE, PERSON_MARGIN = 0.15, 1 / 150
#: The same for a face: the head has hair, a chin and ears.
FACE_SHARE = 0.5
#: Less than this share of the thing is no picture of it.
LEAST_SHOWN = 0.5
#: A thing of fewer pixels on its shorter side cannot be told from any other.
LEAST_THING = 8
#: So often faces are looked for in what was drawn.
ROUNDS = 3


class Planner:
    """Plans stills. For one thread at a time.

    Args:
        settings: The site's.
        people: Looks for people, down to the settings' score by `STRICTER`.
        faces: Looks for faces.
    """

    def __init__(self, settings: StillSettings, people: PeopleFinder, faces: FaceFinder) -> None:
        self._settings = settings
        self._people = people
        self._faces = faces

    def plan(self, frame: NDArray[np.uint8], detections: Detections, place: Place) -> Plan:
        """Return what to show of a violation, and what to hide.

        Args:
            frame: uint8 [height, width, 3], blue-green-red, blanked outside the area; not changed.
            detections: Of the frame, in its pixels; people among them are filled too.
            place: Of the thing, as fractions of the frame.

        Raises:
            StillRefusedError: If too little of the thing can be shown without showing somebody.
            ModelError: If the model gives values that are no numbers.
            ValueError: If the detections are of another frame.
        """
        within = whole(frame)
        if detections.size != within[2:]:
            raise ValueError(f"detections of a {detections.size} frame, this is a {within[2:]} one")
        thing = _thing(within, place)
        longest = max(thing[2] - thing[0], thing[3] - thing[1])
        crop = widened(thing, within, pixels=longest * self._settings.margin) or thing
        people, plan = People.of(detections), Plan(crop, thing, (), alone=True)
        for seen in self._people.look(frame, thing):
            people = people.joined(seen)
            plan = self._without(people, plan, within)  # a plan that shows too little ends it here
        faces = list(self._faces_around(frame, thing, crop))
        if faces:
            plan = self._without(people, replace(plan, alone=False), within)
        return self._without_faces(frame, _possible(plan.with_filled(faces)))

    def _without(self, people: People, plan: Plan, within: Box) -> Plan:
        """Fill people: those that are likely some, or the less likely ones too if one is about."""
        alone = plan.alone and not len(people.from_score(ABOUT_SCORE))
        boxes = people.from_score(self._settings.person_score / (1 if alone else STRICTER))
        margin = max(within) * PERSON_MARGIN
        bodies = tuple(_larger(boxes, within, share=PERSON_SHARE, pixels=margin))
        return _possible(replace(plan, filled=bodies, alone=alone))

    def _faces_around(self, frame: NDArray[np.uint8], thing: Box, crop: Box) -> Iterator[Box]:
        """Yield where heads may be, from looks at the frame and ever closer at the thing.

        On a screen or a sheet there may be portraits so small that only the last look shows them.
        """
        longest = max(crop[2] - crop[0], crop[3] - crop[1])
        around = square(crop, whole(frame), 2 * longest)
        for part in dict.fromkeys((whole(frame), around, crop, thing)):
            x1, y1, x2, y2 = part
            for head in self._heads(frame[y1:y2, x1:x2]):
                yield moved(head, x1, y1)

    def _heads(self, image: NDArray[np.uint8]) -> Iterator[Box]:
        return _larger(self._faces.find(image), whole(image), share=FACE_SHARE, pixels=0)

    def _without_faces(self, frame: NDArray[np.uint8], plan: Plan) -> Plan:
        """Fill what still looks like a face in the picture, until nothing does."""
        x, y = plan.crop[:2]
        for _ in range(ROUNDS):
            hidden = plan.hidden()
            heads = self._heads(draw(frame, plan))
            seen = [h for h in heads if not hidden[h[1] : h[3], h[0] : h[2]].all()]
            if not seen:
                return plan
            plan = _possible(plan.with_filled(moved(head, x, y) for head in seen))
        raise StillRefusedError(Refusal.FACE, "what is left of it still looks like a face")


def _thing(within: Box, place: Place) -> Box:
    width, height = within[2:]
    x1, y1, x2, y2 = place
    thing = widened((x1 * width, y1 * height, x2 * width, y2 * height), within)
    if thing is None or min(thing[2] - thing[0], thing[3] - thing[1]) < LEAST_THING:
        raise StillRefusedError(Refusal.TOO_SMALL, "the thing is too small to be seen")
    return thing


def _larger(boxes: Boxes, within: Box, *, share: float, pixels: float) -> Iterator[Box]:
    rows: Iterable[list[float]] = boxes.tolist()
    for row in rows:
        box = widened(row, within, share=share, pixels=pixels)
        if box:
            yield box


def _possible(plan: Plan) -> Plan:
    """Return the plan, if enough of the thing is left to be shown."""
    if plan.shown() < LEAST_SHOWN:
        raise StillRefusedError(Refusal.COVERED, "somebody may be where the thing is")
    return plan
