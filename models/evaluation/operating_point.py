"""The operating point: what scores mean, and from which one on each class is believed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from cleandesk.detector import Detections
from models.evaluation.calibrate import IDENTITY, Curve
from models.evaluation.looking import read_yaml, write_yaml
from models.evaluation.matching import Judged
from models.evaluation.sets import EvaluationError

NAME: Final = "operating_point.yaml"
_HEAD: Final = (
    "# Written by `python -m models.evaluation choose`, which puts what the box needs of it into\n"
    "# the manifest; the rest says how it came about.\n"
)
_ADOPTED: Final = ("thresholds", "calibration", "unverified")


@dataclass(frozen=True)
class OperatingPoint:
    """From which score on each class is believed, and what scores mean.

    Attributes:
        thresholds: Of calibrated scores, by class.
        calibration: By class.
        unverified: Classes that too few real pictures show.
    """

    thresholds: dict[str, float]
    calibration: dict[str, Curve]
    unverified: tuple[str, ...]

    def judged(self, raw: Judged, name: str) -> Judged:
        """The same finds of a class with calibrated scores."""
        return self.calibration[name].judged(raw)

    def detections(self, raw: Sequence[Detections]) -> list[Detections]:
        """The same finds with calibrated scores, best first."""
        return [self._calibrated(seen) for seen in raw]

    def _calibrated(self, seen: Detections) -> Detections:
        scores = seen.scores.copy()
        for number, name in enumerate(seen.names):
            mine = seen.class_ids == number
            scores[mine] = self.calibration[name].apply(seen.scores[mine])
        order = np.argsort(-scores, kind="stable")
        return replace(
            seen, boxes=seen.boxes[order], scores=scores[order], class_ids=seen.class_ids[order]
        )


def write(content: dict[str, Any], path: Path) -> None:
    """Write the operating point and what led to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_yaml(content, path, _HEAD)


def adopt(content: dict[str, Any], manifest: Path) -> None:
    """Put what was chosen into the manifest, the rest of which stays as it is."""
    write_yaml(read_yaml(manifest) | {key: content[key] for key in _ADOPTED}, manifest)


def read(path: Path, names: Sequence[str]) -> OperatingPoint:
    """Read the operating point from its file, or from a manifest, which has the same keys.

    Raises:
        EvaluationError: If it cannot be read or lacks a class.
    """
    held = read_yaml(path)
    default = held.get("threshold")
    given = {n: default for n in names if default is not None} | (held.get("thresholds") or {})
    missing = [n for n in names if n not in given]
    if missing:
        raise EvaluationError(
            f"{path}: no threshold for {', '.join(missing)}; run `python -m models.evaluation "
            "choose` anew"
        )
    curves = held.get("calibration") or {}
    return OperatingPoint(
        {n: float(given[n]) for n in names},
        {n: Curve(**curves[n]) if n in curves else IDENTITY for n in names},
        tuple(held.get("unverified") or ()),
    )
