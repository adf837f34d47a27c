"""From a frame and a violation's place to the one picture that may leave the box."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cleandesk.contract.stills import MediaType
from cleandesk.detector import Detections, Detector
from cleandesk.evidence.encode import encode
from cleandesk.evidence.faces import FaceFinder
from cleandesk.evidence.people import PeopleFinder
from cleandesk.evidence.planner import STRICTER, Planner
from cleandesk.evidence.redaction import draw
from cleandesk.evidence.seal import Seal
from cleandesk.policy.change import Place
from cleandesk.settings import StillSettings


@dataclass(frozen=True, slots=True)
class Still:
    """A redacted picture of a violation, ready to be sent.

    Attributes:
        content: The JPEG, or the envelope that holds it.
        media_type: Which of both.
        jpeg: For the worker, who can open no envelope.
    """

    content: bytes
    media_type: MediaType
    jpeg: bytes


class StillMaker:
    """Makes stills. For one thread at a time: it takes seconds, and a frame loop has none."""

    def __init__(self, planner: Planner, *, longest_side: int, seal: Seal | None) -> None:
        """Prepare to make stills.

        Args:
            planner: Says what may be shown.
            longest_side: Of a still, pixels.
            seal: Closes them for the site; None: they stay open.
        """
        self._planner = planner
        self._longest = longest_side
        self._seal = seal

    @classmethod
    def load(cls, settings: StillSettings, detector: Detector) -> Self:
        """Prepare to make stills as the site set them.

        Args:
            settings: The site's.
            detector: This maker's own: the frame loop uses another.

        Raises:
            EvidenceError: If the face detector or the site's certificate is missing or wrong, or
                the model does not know people.
        """
        people = PeopleFinder(detector, score=settings.person_score / STRICTER)
        planner = Planner(settings, people, FaceFinder())
        seal = Seal.load(settings.encrypt_to) if settings.encrypt_to else None
        return cls(planner, longest_side=settings.longest_side, seal=seal)

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
        plan = self._planner.plan(frame, detections, place)
        jpeg = encode(draw(frame, plan), self._longest)
        if self._seal is None:
            return Still(jpeg, "image/jpeg", jpeg)
        return Still(self._seal.close(jpeg), "application/pkcs7-mime", jpeg)
