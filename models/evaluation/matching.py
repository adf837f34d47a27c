"""Which finds are right: COCO's matching, one class at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cleandesk.detector import Detections
from models.evaluation.sets import Flags, Floats, Labelled, Picture

Ints = npt.NDArray[np.int64]

IOU: Final = 0.5
WRONG: Final = -1
IGNORED: Final = -2
#: Areas in 640-pixel pictures, as COCO cuts them.
SIZES: Final = {
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, float("inf")),
}


@dataclass(frozen=True)
class Judged:
    """All finds of one class over many pictures, and all that was there.

    Attributes:
        scores: float32 [n], of the finds; those in ignored places are left out.
        right: bool [n].
        areas: float32 [n], as if the pictures' longest side had 640 pixels.
        found_at: float32 [m]: for each labelled thing the score of its find, 0 if it has none.
        thing_areas: float32 [m].
        pictures: How many were looked at.
    """

    scores: Floats
    right: Flags
    areas: Floats
    found_at: Floats
    thing_areas: Floats
    pictures: int

    @property
    def labelled(self) -> int:
        """How many things there are."""
        return len(self.found_at)

    def shown(self, threshold: float) -> tuple[int, int]:
        """How many finds reach a score, and how many of these are right."""
        kept = self.scores >= threshold
        return int(kept.sum()), int(self.right[kept].sum())

    def precision(self, threshold: float) -> float:
        """Share of right ones among the finds that reach a score; NaN if none does."""
        shown, right = self.shown(threshold)
        return right / shown if shown else float("nan")

    def found(self, threshold: float) -> int:
        """How many things have a find that reaches a score."""
        return int(((self.found_at >= threshold) & (self.found_at > 0)).sum())

    def recall(self, threshold: float) -> float:
        """Share of the things that is found; NaN if there are none."""
        return self.found(threshold) / self.labelled if self.labelled else float("nan")

    def false_per_picture(self, threshold: float) -> float:
        """Wrong finds a picture."""
        shown, right = self.shown(threshold)
        return (shown - right) / self.pictures if self.pictures else float("nan")

    def of_size(self, low: float, high: float) -> "Judged":
        """Only finds and things of these areas."""
        mine = (self.areas >= low) & (self.areas < high)
        theirs = (self.thing_areas >= low) & (self.thing_areas < high)
        return Judged(
            self.scores[mine],
            self.right[mine],
            self.areas[mine],
            self.found_at[theirs],
            self.thing_areas[theirs],
            self.pictures,
        )

    def with_scores(self, scores: Floats, found_at: Floats) -> "Judged":
        """The same finds with other scores in the same order."""
        return Judged(scores, self.right, self.areas, found_at, self.thing_areas, self.pictures)

    @property
    def ap50(self) -> float:
        """Average precision at IoU 0.5; NaN if there is nothing to find."""
        return average_precision(self.scores, self.right, self.labelled)


def overlaps(boxes: Floats, labelled: Labelled) -> Floats:
    """IoU [n, m]; for an ignored place, the share of the box that lies in it."""
    low = np.maximum(boxes[:, None, :2], labelled.boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], labelled.boxes[None, :, 2:])
    inter = (high - low).clip(0).prod(-1)
    area = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(-1)[:, None]
    theirs = (labelled.boxes[:, 2:] - labelled.boxes[:, :2]).clip(0).prod(-1)[None]
    union = np.where(labelled.ignored[None], area, area + theirs - inter)
    return np.asarray(inter / union.clip(1e-6), np.float32)


def assign(boxes: Floats, labelled: Labelled, iou: float = IOU) -> Ints:
    """For each box, best first: the thing that it finds, or `WRONG`, or `IGNORED`.

    A thing is found once, by the best box; among several things a box takes the free one that it
    overlaps most. As pycocotools does it.

    Args:
        boxes: float32 [n, 4], best first.
        labelled: What is there.
        iou: Least overlap.
    """
    out = np.full(len(boxes), WRONG, np.int64)
    if not len(labelled.boxes):
        return out
    over = overlaps(boxes, labelled)
    free = ~labelled.ignored
    for i, row in enumerate(over):
        mine = np.where(free, row, 0.0)
        best = int(mine.argmax())
        if mine[best] >= iou:
            free[best] = False
            out[i] = best
        elif labelled.ignored.any() and row[labelled.ignored].max() >= iou:
            out[i] = IGNORED
    return out


def judge(found: Sequence[Detections], pictures: Sequence[Picture], name: str) -> Judged:
    """Match all finds of a class with what is labelled."""
    scores, right, areas, found_at, thing_areas = [], [], [], [], []
    for seen, picture in zip(found, pictures, strict=True):
        labelled = picture.of(name)
        mine = seen.where(seen.class_ids == _index(seen.names, name))
        hits = assign(mine.boxes, labelled)
        counted = hits != IGNORED
        scores.append(mine.scores[counted])
        right.append(hits[counted] >= 0)
        areas.append(_areas(mine.boxes[counted]) * picture.shrink)
        at = np.zeros(len(labelled.boxes), np.float32)
        at[hits[hits >= 0]] = mine.scores[hits >= 0]
        found_at.append(at[~labelled.ignored])
        thing_areas.append(_areas(labelled.boxes[~labelled.ignored]) * picture.shrink)
    none = np.zeros(0, np.float32)
    return Judged(
        np.concatenate([none, *scores]),
        np.concatenate([none.astype(np.bool_), *right]),
        np.concatenate([none, *areas]),
        np.concatenate([none, *found_at]),
        np.concatenate([none, *thing_areas]),
        len(pictures),
    )


def _index(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else -1


def _areas(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(-1), np.float32)


def average_precision(scores: Floats, right: Flags, total: int) -> float:
    """Area under the precision-recall curve at 101 recalls, precision made monotone."""
    if total == 0:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(hits / total, np.linspace(0, 1, 101), side="left")
    return float(np.append(precision, 0.0)[np.minimum(at, len(precision))].mean())
