"""Average precision, and precision and recall at a threshold, as COCO counts them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

IOUS = np.arange(0.5, 1.0, 0.05)


@dataclass(frozen=True)
class Labelled:
    """What is truly there of one class in one picture: boxes [n, 4], of which some are crowds."""

    boxes: Floats
    crowd: Flags


@dataclass(frozen=True)
class Found:
    """What was found of one class in one picture: boxes [n, 4], scores [n], best first."""

    boxes: Floats
    scores: Floats


@dataclass(frozen=True)
class Figures:
    """How well one class is found. NaN where nothing could be measured."""

    labelled: int
    ap50: float
    ap: float
    precision: float
    recall: float
    false_per_picture: float


def overlaps(found: Floats, labelled: Labelled) -> Floats:
    """IoU [n, m]; for a crowd, the share of the found box that lies in it."""
    low = np.maximum(found[:, None, :2], labelled.boxes[None, :, :2])
    high = np.minimum(found[:, None, 2:], labelled.boxes[None, :, 2:])
    inter = (high - low).clip(0).prod(-1)
    area = (found[:, 2:] - found[:, :2]).clip(0).prod(-1)[:, None]
    theirs = (labelled.boxes[:, 2:] - labelled.boxes[:, :2]).clip(0).prod(-1)[None]
    union = np.where(labelled.crowd[None], area, area + theirs - inter)
    return np.asarray(inter / union.clip(1e-6), np.float32)


def match(found: Found, labelled: Labelled, iou: float) -> npt.NDArray[np.int8]:
    """For each found box, best first: 1 right, 0 wrong, -1 in a crowd and not counted."""
    out = np.zeros(len(found.scores), np.int8)
    over = overlaps(found.boxes, labelled)
    free = ~labelled.crowd
    for i in range(len(out)):
        row = np.where(free, over[i], 0.0) if len(free) else np.zeros(0)
        if len(row) and row.max() >= iou:
            free[int(row.argmax())] = False
            out[i] = 1
        elif labelled.crowd.any() and over[i][labelled.crowd].max() >= iou:
            out[i] = -1
    return out


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


def figures(pairs: Sequence[tuple[Found, Labelled]], threshold: float) -> Figures:
    """Figures of one class over all pictures of a set."""
    total = sum(int((~labelled.crowd).sum()) for _, labelled in pairs)
    scores = np.concatenate([f.scores for f, _ in pairs] or [np.zeros(0, np.float32)])
    results = []
    for iou in IOUS:
        marks = np.concatenate(
            [match(f, t, float(iou)) for f, t in pairs] or [np.zeros(0, np.int8)]
        )
        counted = marks >= 0
        results.append((scores[counted], marks[counted] == 1))
    aps = [average_precision(s, r, total) for s, r in results]
    kept = results[0][0] >= threshold
    hits, shown = int(results[0][1][kept].sum()), int(kept.sum())
    return Figures(
        labelled=total,
        ap50=aps[0],
        ap=float(np.mean(aps)),
        precision=hits / shown if shown else float("nan"),
        recall=hits / total if total else float("nan"),
        false_per_picture=(shown - hits) / len(pairs) if pairs else float("nan"),
    )
