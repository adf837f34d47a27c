"""From a frame and a violation's place to the one picture that may leave the box."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from cleandesk.detector import Detections, Detector
from cleandesk.evidence.boxes import Box, moved, square, whole, widened
from cleandesk.evidence.encode import encode
from cleandesk.evidence.errors import Refusal, StillRefusedError
from cleandesk.evidence.faces import FaceFinder
from cleandesk.evidence.people import People, PeopleFinder
from cleandesk.evidence.redaction import Plan, Redacted, draw
from cleandesk.evidence.seal import Seal
from cleandesk.policy.change import Place
from cleandesk.settings import StillSettings

#: From this score on of anything that may be a person, or with any face, somebody may be about.
ABOUT_SCORE = 0.05
#: Then people are filled from a score on that is so many times lower, as all of them matter more.
STRICTER = 10
#: What people's boxes are made larger by on each side: of the box, and of the frame's longer side.
PERSON_SHARE, PERSON_MARGIN = 0.15, 1 / 150
#: The same for faces: the head with its hair, chin and ears.
FACE_SHARE = 0.5
#: Less than this share of the thing is no picture of it.
LEAST_SHOWN = 0.5
#: A thing of fewer pixels on its shorter side cannot be told from any other.
LEAST_THING = 8
#: Faces are looked for again in what was drawn, so often.
_ROUNDS = 3
MediaType = Literal["image/jpeg", "application/pkcs7-mime"]


@dataclass(frozen=True, slots=True)
class Still:
    """A redacted picture of a violation, ready to be sent.

    Attributes:
        content: The JPEG, or the envelope that holds it.
        media_type: Which of both.
    """

    content: bytes
    media_type: MediaType


class StillMaker:
    """Makes stills. For one thread at a time: it takes seconds, and a frame loop has none."""

    def __init__(self, settings: StillSettings, people: PeopleFinder, faces: FaceFinder) -> None:
        self._settings = settings
        self._people = people
        self._faces = faces
        self._seal = Seal.load(settings.encrypt_to) if settings.encrypt_to else None

    @classmethod
    def load(cls, settings: StillSettings, detector: Detector) -> Self:
        """Prepare to make stills.

        Args:
            settings: The site's.
            detector: This maker's own: the frame loop uses another.

        Raises:
            EvidenceError: If the face detector or the site's certificate is missing or wrong, or
                the model does not know people.
        """
        people = PeopleFinder(detector, score=settings.person_score / STRICTER)
        return cls(settings, people, FaceFinder())

    def make(self, frame: NDArray[np.uint8], detections: Detections, place: Place) -> Still:
        """Return the still of a violation.

        Args:
            frame: uint8 [height, width, 3], blue-green-red, blanked outside the area; not changed.
            detections: Of the frame, in its pixels; people among them are filled too.
            place: Of the thing, as fractions of the frame.

        Raises:
            StillRefusedError: If too little of the thing can be shown without showing somebody.
            ModelError: If the model gives values that are no numbers.
            ValueError: If the detections are of another frame.
        """
        plan = self.plan(frame, detections, place)
        plan, picture = self._without_faces(frame, plan)
        _check(plan)
        jpeg = encode(picture, self._settings.longest_side)
        if self._seal is None:
            return Still(jpeg, "image/jpeg")
        return Still(self._seal.close(jpeg), "application/pkcs7-mime")

    def plan(self, frame: NDArray[np.uint8], detections: Detections, place: Place) -> Plan:
        """Say what to show and what to hide, before faces are looked for in what was drawn.

        Takes and raises what `make` does.
        """
        within = whole(frame)
        if detections.size != within[2:]:
            raise ValueError(f"detections of a {detections.size} frame, this is a {within[2:]} one")
        thing = _thing(within, place)
        crop = _crop(thing, within, self._settings.margin)
        people = self._people.find(frame, thing).joined(People.of(detections))
        faces = self._faces_around(frame, crop)
        alone = not faces and not len(people.from_score(ABOUT_SCORE))
        score = self._settings.person_score / (1 if alone else STRICTER)
        margin = max(within) * PERSON_MARGIN
        bodies = [
            widened(box, within, share=PERSON_SHARE, pixels=margin)
            for box in people.from_score(score).tolist()
        ]
        plan = Plan(crop, thing, (*(b for b in bodies if b), *faces), alone)
        _check(plan)
        return plan

    def _faces_around(self, frame: NDArray[np.uint8], crop: Box) -> list[Box]:
        """Return where faces may be, from looks at the frame, around the crop and at the crop."""
        longest = max(crop[2] - crop[0], crop[3] - crop[1])
        parts = dict.fromkeys((whole(frame), square(crop, whole(frame), 2 * longest), crop))
        return [
            moved(box, x1, y1)
            for x1, y1, x2, y2 in parts
            for box in self._heads(frame[y1:y2, x1:x2])
        ]

    def _heads(self, image: NDArray[np.uint8]) -> list[Box]:
        within = whole(image)
        heads = (
            widened(face, within, share=FACE_SHARE) for face in self._faces.find(image).tolist()
        )
        return [head for head in heads if head]

    def _without_faces(self, frame: NDArray[np.uint8], plan: Plan) -> tuple[Plan, Redacted]:
        """Draw, and fill what still looks like a face, until nothing does."""
        x, y = plan.crop[:2]
        for _ in range(_ROUNDS):
            picture = draw(frame, plan)
            hidden = plan.hidden()
            heads = [h for h in self._heads(picture) if not hidden[h[1] : h[3], h[0] : h[2]].all()]
            if not heads:
                return plan, picture
            plan = plan.with_filled(moved(head, x, y) for head in heads)
        raise StillRefusedError(Refusal.FACE, "what is left of it still looks like a face")


def _thing(within: Box, place: Place) -> Box:
    width, height = within[2:]
    x1, y1, x2, y2 = place
    thing = widened((x1 * width, y1 * height, x2 * width, y2 * height), within)
    if thing is None or min(thing[2] - thing[0], thing[3] - thing[1]) < LEAST_THING:
        raise StillRefusedError(Refusal.TOO_SMALL, "the thing is too small to be seen")
    return thing


def _crop(thing: Box, within: Box, margin: float) -> Box:
    longest = max(thing[2] - thing[0], thing[3] - thing[1])
    return widened(thing, within, pixels=longest * margin) or thing


def _check(plan: Plan) -> None:
    if plan.shown() < LEAST_SHOWN:
        raise StillRefusedError(Refusal.COVERED, "somebody may be where the thing is")
