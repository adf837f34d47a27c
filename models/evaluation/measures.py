"""Figures of one model on one set of pictures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cleandesk.detector import Detections
from models.evaluation.calibrate import Reliability, reliability
from models.evaluation.looking import read_image
from models.evaluation.matching import SIZES, Judged, judge
from models.evaluation.operating_point import OperatingPoint
from models.evaluation.sets import PictureSet
from models.evaluation.skin import tone

#: An average precision over fewer things says nothing.
LEAST_THINGS: Final = 5


@dataclass(frozen=True)
class Figures:
    """How well one class is found. NaN where nothing could be measured."""

    labelled: int
    ap50: float
    precision: float
    recall: float
    shown: int
    false_per_picture: float


@dataclass(frozen=True)
class Seen:
    """A set of pictures, and what a model found in it, calibrated.

    Attributes:
        pictures: The set.
        found: One entry a picture.
        judged: By class: those that the set labels and the model knows.
    """

    pictures: PictureSet
    found: list[Detections]
    judged: dict[str, Judged]


def see(pictures: PictureSet, raw: list[Detections], point: OperatingPoint | None = None) -> Seen:
    """Match what was found with what is there.

    Args:
        pictures: The set.
        raw: One entry a picture.
        point: Calibrates; default: scores stay as they are.
    """
    found = point.detections(raw) if point else raw
    names = found[0].names if found else ()
    judged = {n: judge(found, pictures.pictures, n) for n in names if n in pictures.labelled}
    return Seen(pictures, found, judged)


def figures(judged: Judged, threshold: float) -> Figures:
    """Sum one class up."""
    return Figures(
        judged.labelled,
        judged.ap50,
        judged.precision(threshold),
        judged.recall(threshold),
        judged.shown(threshold)[0],
        judged.false_per_picture(threshold),
    )


def by_size(judged: Judged, threshold: float) -> dict[str, Figures]:
    """The same for small, medium and large things: finds by their own size."""
    return {s: figures(judged.of_size(*span), threshold) for s, span in SIZES.items()}


@dataclass(frozen=True)
class Together:
    """All classes of a set together: mean average precision, and shares of all finds and things."""

    mean_ap50: float
    precision: float
    recall: float


def together(judged: dict[str, Judged], thresholds: dict[str, float]) -> Together:
    """Sum all classes up; average precision only over those with enough things."""
    aps = [j.ap50 for j in judged.values() if j.labelled >= LEAST_THINGS]
    cuts = [j.shown(thresholds[n]) for n, j in judged.items()]
    shown, right = sum(s for s, _ in cuts), sum(r for _, r in cuts)
    found = sum(j.found(thresholds[n]) for n, j in judged.items())
    things = sum(j.labelled for j in judged.values())
    return Together(
        float(np.mean(aps)) if aps else math.nan,
        right / shown if shown else math.nan,
        found / things if things else math.nan,
    )


def mean_ap50(judged: dict[str, Judged], pictures: PictureSet, names: Sequence[str]) -> float:
    """Mean over classes that the set has; one that the model does not know counts as 0."""
    aps = [judged[n].ap50 if n in judged else 0.0 for n in names if pictures.count(n)]
    return float(np.mean(aps)) if aps else math.nan


def reliability_of(judged: dict[str, Judged]) -> Reliability:
    """What the scores of all classes promise and hold."""
    scores = np.concatenate([np.zeros(0, np.float32), *(j.scores for j in judged.values())])
    right = np.concatenate([np.zeros(0, np.bool_), *(j.right for j in judged.values())])
    return reliability(scores, right)


@dataclass(frozen=True)
class Third:
    """Persons of about one skin tone.

    Attributes:
        name: Of the tone.
        low: Least angle.
        high: Greatest angle.
        persons: How many.
        recall: Which share of them is found.
    """

    name: str
    low: float
    high: float
    persons: int
    recall: float


def by_skin(seen: Seen, threshold: float) -> list[Third]:
    """Recall of persons, in thirds by skin tone."""
    at = seen.judged["person"].found_at
    angles: list[float] = []
    for picture in seen.pictures.pictures:
        people = picture.of("person")
        boxes = people.boxes[~people.ignored]
        if len(boxes):
            image = read_image(picture.path)
            angles += [math.nan if (t := tone(image, b)) is None else t for b in boxes]
    known = np.flatnonzero(~np.isnan(angles))
    order = known[np.argsort(np.array(angles)[known], kind="stable")]
    return [
        Third(
            name,
            angles[mine[0]],
            angles[mine[-1]],
            len(mine),
            float((at[mine] >= threshold).mean()),
        )
        for name, mine in zip(
            ("darkest", "middle", "lightest"), np.array_split(order, 3), strict=True
        )
        if len(mine)
    ]
