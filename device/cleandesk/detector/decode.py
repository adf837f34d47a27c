"""NanoDet-Plus's output -> boxes, scores and classes.

Points, integral boxes (generalised focal loss, arXiv:2006.04388) and class-wise suppression as in
NanoDet-Plus (github.com/RangiLyu/nanodet, Apache-2.0), `nanodet_plus_head.py`.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.detector.calibration import Calibration
from cleandesk.detector.manifest import Manifest

# Nineteen classes share these; COCO's hundred a picture is for each class. They matter where weak
# detections are asked for: at the thresholds of rules there are few.
MOST_CANDIDATES = 3000
MOST_DETECTIONS = 300
_ANY_SCORE = -1.0  # the weak ones were left out before

Boxes = NDArray[np.float32]
Scores = NDArray[np.float32]
ClassIds = NDArray[np.int64]


class NanoDetPlus:
    """Reads the output of one model."""

    def __init__(self, manifest: Manifest) -> None:
        self._classes = len(manifest.classes)
        self._calibration = Calibration(manifest)
        self._asked: float | Sequence[float] = math.nan  # whose inverse is `_least`
        self._rows: slice | ClassIds = slice(0)
        self._wanted: ClassIds = np.zeros(0, np.int64)
        self._least: Scores = np.zeros((0, 1), np.float32)
        self._iou = manifest.nms_iou
        self._bins = np.arange(manifest.reg_max + 1, dtype=np.float32)
        self._centres, self._strides = _points(
            manifest.input.width, manifest.input.height, manifest.strides
        )

    def decode(
        self, output: NDArray[np.float32], min_score: float | Sequence[float]
    ) -> tuple[Boxes, Scores, ClassIds]:
        """Return what stands out, best first.

        Args:
            output: float32 [classes + 4 * bins, points]: scores after the sigmoid, then for each of
                left, top, right, bottom the logits of its distance's bins, in strides. A point may
                answer for some classes alone and hold zeros for the others.
            min_score: Weaker detections are left out; of calibrated scores. One for all classes, or
                one for each: a class that needs more than 1 is not looked at.

        Returns:
            Boxes x1, y1, x2, y2 in input pixels, float32 [n, 4]; calibrated scores, float32 [n];
            classes, int64 [n]. At most `MOST_DETECTIONS`.

        Raises:
            FloatingPointError: If the output holds values that are no numbers. Nothing found would
                mean a clean desk.
        """
        points, class_ids, scores = self._candidates(output, min_score)
        if not len(points):  # as at most looks at a clean desk
            return np.zeros((0, 4), np.float32), scores, class_ids
        order = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
        points, scores, class_ids = points[order], scores[order], class_ids[order]
        boxes = self._boxes(output, points)
        keep = suppress(boxes, scores, class_ids, self._iou)
        return boxes[keep], scores[keep], class_ids[keep]

    def _candidates(
        self, output: NDArray[np.float32], min_score: float | Sequence[float]
    ) -> tuple[NDArray[np.int64], ClassIds, Scores]:
        """Return the points, classes and calibrated scores that reach `min_score`."""
        if min_score != self._asked:
            self._ask(min_score)
        # One comparison of all, against the calibration's inverse, is a quarter of the work of
        # looking for each point's best. What is no number is not weak.
        weak = output[self._rows] < self._least
        places, points = np.divmod(np.flatnonzero(~weak), output.shape[1])
        class_ids = self._wanted[places]
        found = output[class_ids, points]
        if not np.isfinite(found).all():
            raise FloatingPointError("the model's scores are no numbers")
        return points, class_ids, self._calibration.apply(found, class_ids)

    def _ask(self, min_score: float | Sequence[float]) -> None:
        """Prepare for the classes that can reach their score, and for no others."""
        least = np.broadcast_to(np.asarray(min_score, np.float64), self._classes)
        self._wanted = np.flatnonzero(least <= 1)
        self._least = self._calibration.least(least)[self._wanted, None]
        all_of_them = len(self._wanted) == self._classes
        self._rows = slice(self._classes) if all_of_them else self._wanted
        self._asked = min_score

    def _boxes(self, output: NDArray[np.float32], points: NDArray[np.int64]) -> Boxes:
        """Take each side's expected distance; only for the points that are worth it."""
        logits = output[self._classes :, points].T.reshape(-1, 4, len(self._bins))
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        distances = (weights @ self._bins) / weights.sum(axis=2) * self._strides[points, None]
        centres = self._centres[points]
        return np.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], axis=1)


def _points(
    width: int, height: int, strides: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return all points, float32 [n, 2], at multiples of the stride, and the stride of each.

    A stride that stands more than once has its points as often, once for each head of the model.
    """
    centres, of_each = [], []
    for stride in strides:
        y, x = np.mgrid[0 : math.ceil(height / stride), 0 : math.ceil(width / stride)] * stride
        centres.append(np.stack([x.ravel(), y.ravel()], axis=1))
        of_each.append(np.full(x.size, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(of_each).astype(np.float32)


def suppress(boxes: Boxes, scores: Scores, class_ids: ClassIds, iou: float) -> NDArray[np.int64]:
    """Drop boxes that overlap a better one of their class.

    Args:
        boxes: float32 [n, 4], x1, y1, x2, y2.
        scores: float32 [n].
        class_ids: int64 [n].
        iou: Boxes of one class whose intersection over union is larger are one object.

    Returns:
        Indices of those that stay, best first, at most `MOST_DETECTIONS`.
    """
    if not len(boxes):
        return np.zeros(0, np.int64)
    sides = boxes[:, 2:] - boxes[:, :2]
    corners = np.concatenate([boxes[:, :2], sides], axis=1)
    # Lists, as OpenCV converts arrays element by element, which takes longer than all else here.
    kept = cv2.dnn.NMSBoxesBatched(
        corners.tolist(), scores.tolist(), class_ids.tolist(), _ANY_SCORE, iou
    )
    return np.asarray(kept, np.int64)[:MOST_DETECTIONS]
