"""Where people may be, asked more suspiciously than the rules ask.

A rule must not accuse anybody wrongly; a still must not show anybody. So people are looked for at
scores that mean nothing elsewhere, in the whole picture and closer around the thing, in each turn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cleandesk.detector import Detections, Detector
from cleandesk.evidence.boxes import Box, Boxes, square, whole
from cleandesk.evidence.errors import EvidenceError
from cleandesk.evidence.view import View, views
from cleandesk.policy.observation import PERSON

#: Parts around the thing that are looked at too: in sides of its box, and their least side, pixels.
CLOSER = ((2, 160), (5, 240))
#: Cameras hang upright, and turned rooms are full of what looks like people: there a score is
#: divided by this.
TURNED_DOUBT = 10
_NEVER = 2.0  # a score that no class reaches: it is not looked for


@dataclass(frozen=True, slots=True)
class People:
    """Boxes that may hold somebody.

    Attributes:
        boxes: float32 [n, 4]: x1, y1, x2, y2, pixels.
        scores: float32 [n], 0-1.
    """

    boxes: Boxes
    scores: NDArray[np.float32]

    @classmethod
    def of(cls, detections: Detections) -> Self:
        """Take the people from what was found in a picture."""
        ids = [i for i, name in enumerate(detections.names) if name == PERSON]
        mine = np.isin(detections.class_ids, ids)
        return cls(detections.boxes[mine], detections.scores[mine])

    def joined(self, other: "People") -> "People":
        """Return all of these and of others."""
        return People(
            np.concatenate([self.boxes, other.boxes]), np.concatenate([self.scores, other.scores])
        )

    def from_score(self, score: float) -> Boxes:
        """Return the boxes of this score and better ones, float32 [n, 4]."""
        return self.boxes[self.scores >= score]


class PeopleFinder:
    """Looks for people around a thing. For one thread at a time."""

    def __init__(self, detector: Detector, *, score: float) -> None:
        """Prepare to look.

        Args:
            detector: This finder's own.
            score: Weaker ones are left out, 0-1.

        Raises:
            EvidenceError: If the model does not know people.
        """
        if PERSON not in detector.names:
            raise EvidenceError(
                f"model {detector.manifest.name}",
                "it does not know people, so stills cannot be redacted",
                "use the model that came with the software, or turn stills off",
            )
        self._detector = detector
        self._score = score

    def look(self, image: NDArray[np.uint8], thing: Box) -> Iterator[People]:
        """Yield what each look shows that may be people, in pixels of the picture.

        The looks that tell most come first, so that a caller who has seen enough can stop.

        Args:
            image: uint8 [height, width, 3], blue-green-red.
            thing: Around which to look closer.

        Raises:
            ModelError: If the model gives values that are no numbers.
        """
        frame = whole(image)
        longest = max(thing[2] - thing[0], thing[3] - thing[1])
        closer = [square(thing, frame, max(longest * sides, least)) for sides, least in CLOSER]
        for view in views(frame, *closer):
            yield self._look(image, view)

    def _look(self, image: NDArray[np.uint8], view: View) -> People:
        prepared = self._detector.prepare(view.of(image))
        output = self._detector.infer(prepared)
        doubt = TURNED_DOUBT if view.turns else 1
        asked = [self._score * doubt if n == PERSON else _NEVER for n in self._detector.names]
        seen = People.of(self._detector.read(output, prepared, min_score=asked))
        return People(view.back(seen.boxes), seen.scores / np.float32(doubt))
