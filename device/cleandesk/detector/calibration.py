"""Scores -> how often they are right: one straight line in logits a class (Platt, 1999)."""

import numpy as np
from numpy.typing import NDArray

from cleandesk.detector.manifest import Manifest

_SMALLEST = np.finfo(np.float32).tiny


class Calibration:
    """Calibrates the scores of one model. Monotone: the order within a class stays."""

    def __init__(self, manifest: Manifest) -> None:
        known = [manifest.calibration.get(name) for name in manifest.classes]
        self._scale = np.array([line.scale if line else 1.0 for line in known])
        self._offset = np.array([line.offset if line else 0.0 for line in known])

    def apply(
        self, scores: NDArray[np.float32], class_ids: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Calibrate scores.

        Args:
            scores: float32 [n], 0-1, of the model.
            class_ids: int64 [n].

        Returns:
            float32 [n], 0-1: `sigmoid(scale * logit(score) + offset)`. A class that has no line
            keeps its scores to the last bit.
        """
        with np.errstate(divide="ignore"):
            exact = scores.astype(np.float64)
            odds = np.log(exact) - np.log1p(-exact)
        return _sigmoid(self._scale[class_ids] * odds + self._offset[class_ids])

    def least(self, calibrated: float | NDArray[np.float64]) -> NDArray[np.float32]:
        """Return which of the model's own scores `apply` turns into these.

        Args:
            calibrated: The wanted scores, 0-1: one for all, or float64 [classes]. More than 1 is 1.

        Returns:
            float32 [classes]: as exact as a float32 can say it. More than 0 if the wanted score is:
            what scores 0 was not asked about.
        """
        wanted = np.minimum(calibrated, 1.0)
        with np.errstate(divide="ignore"):
            odds = np.log(wanted) - np.log1p(-wanted)
        least = _sigmoid((odds - self._offset) / self._scale)
        return np.where(wanted > 0, np.maximum(least, _SMALLEST), least)


def _sigmoid(odds: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(-odds))).astype(np.float32)
