"""Chooses the frame of a still: the first one after a violation opened that shows its thing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleandesk.clock import Instant
from cleandesk.contract.health import StillHealth
from cleandesk.contract.messages import Phase
from cleandesk.detector import Detections
from cleandesk.evidence.background import Background, Job
from cleandesk.policy import Change
from cleandesk.policy.change import Place
from cleandesk.policy.geometry import iou_and_containment
from cleandesk.policy.observation import PERSON

#: A thing that is not seen again within so long has gone.
PATIENCE_S = 5.0
#: A box of the violation's class is its thing if they share so much (intersection over union).
SAME = 0.3


@dataclass(frozen=True, slots=True)
class _Wanted:
    class_name: str
    place: Place
    until: float


class Taking:
    """What a still is wanted of. In the frame loop's thread, but for `wanted`.

    Args:
        background: Makes them.
        breaks: Tells how many breaks have begun.
    """

    def __init__(self, background: Background, breaks: Callable[[], int]) -> None:
        self._background, self._breaks = background, breaks
        self._wanted: dict[str, _Wanted] = {}

    @property
    def wanted(self) -> bool:
        """Whether the next frame is to be copied, and looked at. From any thread."""
        return bool(self._wanted)

    @property
    def health(self) -> StillHealth:
        """What became of the stills so far."""
        return self._background.health

    def start(self) -> None:
        """Begin to work; returns at once."""
        self._background.start()

    def stop(self) -> None:
        """End it; what was not made will not be."""
        self.forget()
        self._background.stop()

    def follow(self, changes: Iterable[Change]) -> None:
        """Want a still of what opened; what closed before it was seen again has none."""
        for change in changes:
            if change.phase is Phase.OPEN:
                self.want(change.violation_id, change.class_name, change.place, change.at)
            elif change.phase is Phase.CLOSE and change.violation_id in self._wanted:
                del self._wanted[change.violation_id]
                self._background.drop(change.violation_id, "it closed at once")

    def want(self, violation_id: str, class_name: str, place: Place, at: Instant) -> None:
        """Want a still of an open violation; of people there is none."""
        if class_name != PERSON:
            self._wanted[violation_id] = _Wanted(class_name, place, at.mono + PATIENCE_S)

    def look(self, picture: NDArray[np.uint8] | None, found: Detections, at: Instant) -> None:
        """Take what a look saw, and hand over what shows a wanted thing.

        Args:
            picture: The frame, copied; None if nothing was wanted when it was taken.
            found: What was seen in it.
            at: When it was taken.
        """
        for violation_id, wanted in list(self._wanted.items()):
            if at.mono > wanted.until:
                del self._wanted[violation_id]
                self._background.drop(violation_id, "the thing was not seen again")
                continue
            place = _find(found, wanted)
            if picture is not None and place is not None:
                del self._wanted[violation_id]
                self._background.take(Job(violation_id, picture, found, place, self._breaks()))

    def forget(self) -> None:
        """Want nothing any more, and let go of all frames: a break began."""
        for violation_id in self._wanted:
            self._background.drop(violation_id, "a break began, or the box was stopped")
        self._wanted.clear()
        self._background.forget()


def _find(found: Detections, wanted: _Wanted) -> Place | None:
    """Return where in the frame the thing is; None if it is not seen."""
    width, height = found.size
    places = [
        (x1 / width, y1 / height, x2 / width, y2 / height)
        for name, _, (x1, y1, x2, y2) in found
        if name == wanted.class_name
    ]
    shares = [iou_and_containment(place, wanted.place)[0] for place in places]
    best = max(range(len(places)), key=shares.__getitem__, default=None)
    return None if best is None or shares[best] < SAME else places[best]
