"""From the detections of one frame to an observation: what lies in which zone.

A thing belongs to a zone by the share of its box that lies in the zone's polygon, people too: at a
desk nobody's feet are seen, and a share, unlike a point that is in or out, leaves room between
coming in and going out, so that a thing on the border does not flicker.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cleandesk.detector.detections import Detections
from cleandesk.policy.change import Place
from cleandesk.policy.geometry import iou_and_containment
from cleandesk.policy.zones import ZoneMap
from cleandesk.settings import Zone

PERSON, PHONE = "person", "phone"
#: A person of this score may hide what lies behind, or hold a phone; low, because a wrong one only
#: delays a close.
PERSON_SCORE = 0.25
#: Boxes that share so much are one thing: of one class by either measure, of two classes (a sheet
#: that looks like a notebook in every other frame) by the first alone, as a phone may lie on a
#: sheet.
TWIN_IOU, TWIN_CONTAINMENT, TWIN_IOU_ACROSS = 0.5, 0.7, 0.6
#: The best so many things of a frame are looked at, which bounds the time of a step.
MAX_THINGS = 100


@dataclass(frozen=True, slots=True)
class Thing:
    """One detection, in fractions of the picture.

    Attributes:
        threshold: The score from which the model is believed about this class.
        shares: How much of it lies in each zone, in the observer's order of zones.
        twins: Positions of other things that are likely the same one, seen twice.
    """

    class_name: str
    score: float
    threshold: float
    place: Place
    shares: tuple[float, ...]
    twins: frozenset[int]


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look at the desk gave, best first.

    Attributes:
        persons: Boxes of all that may be a person, in any zone.
        aspect: The picture's width over its height.
    """

    things: tuple[Thing, ...]
    persons: tuple[Place, ...]
    aspect: float


class Observer:
    """Turns detections into observations, for a set of zones."""

    def __init__(
        self,
        zones: Mapping[str, Zone],
        names: tuple[str, ...],
        *,
        threshold_of: Callable[[str], float],
        floors: Sequence[float],
    ) -> None:
        """Prepare to observe.

        Args:
            zones: By name.
            names: The model's classes, in its order.
            threshold_of: The score from which the model is believed about a class.
            floors: Of each class: weaker detections are left out.
        """
        self._map = ZoneMap(zones)
        self._names = names
        self._thresholds = tuple(threshold_of(name) for name in names)
        self._floors = np.array(floors)
        self._nothing = Observation((), (), 1.0)
        self.zone_index = {name: i for i, name in enumerate(self._map.names)}

    def observe(self, detections: Detections) -> Observation:
        """Return what the frame shows.

        Raises:
            ValueError: The detections are of another model than the names given at the start.
        """
        if detections.names != self._names:
            raise ValueError(
                f"detections of a model with classes {detections.names}, but the rules were read "
                f"for {self._names}: make the policy with the names of the detector in use"
            )
        places, scores, ids = self._select(detections)
        if not scores:
            return self._nothing
        width, height = detections.size
        things = tuple(
            Thing(self._names[i], score, self._thresholds[i], place, self._map.shares(place), twins)
            for i, score, place, twins in zip(ids, scores, places, _twins(places, ids), strict=True)
        )
        persons = tuple(
            t.place for t in things if t.class_name == PERSON and t.score >= PERSON_SCORE
        )
        return Observation(things, persons, width / height)

    def _select(self, detections: Detections) -> tuple[list[Place], list[float], list[int]]:
        """Return boxes as fractions within the picture, scores and class ids, best first."""
        if not len(detections):
            return [], [], []
        width, height = detections.size
        places = np.clip(detections.boxes / (width, height, width, height), 0.0, 1.0)
        scores = np.minimum(detections.scores.astype(np.float64), 1.0)
        keep = (
            (scores >= self._floors[detections.class_ids])
            & (places[:, 2] > places[:, 0])
            & (places[:, 3] > places[:, 1])
        )
        chosen = np.flatnonzero(keep)
        chosen = chosen[np.argsort(-scores[chosen], kind="stable")][:MAX_THINGS]
        boxes = [(x1, y1, x2, y2) for x1, y1, x2, y2 in places[chosen].tolist()]
        return boxes, scores[chosen].tolist(), detections.class_ids[chosen].tolist()


def _twins(places: Sequence[Place], ids: Sequence[int]) -> list[frozenset[int]]:
    """Return for each box the positions of those that show the same thing."""
    found: list[set[int]] = [set() for _ in places]
    for (a, here), (b, there) in combinations(enumerate(places), 2):
        iou, containment = iou_and_containment(here, there)
        alike = ids[a] == ids[b] and (iou >= TWIN_IOU or containment >= TWIN_CONTAINMENT)
        if alike or iou >= TWIN_IOU_ACROSS:
            found[a].add(b)
            found[b].add(a)
    return [frozenset(others) for others in found]
