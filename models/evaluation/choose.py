"""The operating point: calibration and thresholds, from pictures that the report does not use."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cleandesk.detector import Detections
from models.evaluation import threshold
from models.evaluation.calibrate import Curve, fit_all
from models.evaluation.matching import IOU, Judged, judge
from models.evaluation.operating_point import OperatingPoint
from models.evaluation.sets import PictureSet

#: With fewer labelled real things a class is chosen on rendered ones, and said to be so.
LEAST_REAL: Final = 15


@dataclass(frozen=True)
class Evidence:
    """Finds of one class: what was seen, and how much of it is real.

    Attributes:
        real: On real pictures, raw scores.
        rendered: On rendered scenes, raw scores.
        verifiable: Labelled things on all real pictures, those of the report too.
    """

    real: Judged
    rendered: Judged
    verifiable: int

    @property
    def enough(self) -> bool:
        """Whether there are enough real things to choose by."""
        return self.real.labelled >= LEAST_REAL

    @property
    def fitted(self) -> Judged:
        """What the calibration is fitted to."""
        return self.real if self.enough else joined(self.real, self.rendered)


def joined(a: Judged, b: Judged) -> Judged:
    """Finds of one class on two sets of pictures."""
    return Judged(
        np.concatenate([a.scores, b.scores]),
        np.concatenate([a.right, b.right]),
        np.concatenate([a.areas, b.areas]),
        np.concatenate([a.found_at, b.found_at]),
        np.concatenate([a.thing_areas, b.thing_areas]),
        a.pictures + b.pictures,
    )


def gather(
    names: Sequence[str],
    real: tuple[PictureSet, list[Detections]],
    rendered: tuple[PictureSet, list[Detections]],
    verifiable: dict[str, int],
) -> dict[str, Evidence]:
    """Judge all finds.

    A class that no label of the rendered scenes names is not judged there. On the real pictures
    one without labels counts as absent: they were searched for all but USB sticks, and those are
    rare enough in such rooms.
    """
    none = judge([], [], "")
    out = {}
    for name in names:
        on_scenes = judge(rendered[1], rendered[0].pictures, name)
        known = name in rendered[0].labelled
        on_rooms = judge(real[1], real[0].pictures, name)
        out[name] = Evidence(on_rooms, on_scenes if known else none, verifiable.get(name, 0))
    return out


def decide(evidence: dict[str, Evidence]) -> tuple[OperatingPoint, dict[str, dict[str, Any]]]:
    """Fit the curves, choose the thresholds.

    Returns:
        The operating point, and by class the figures that led to it.
    """
    curves = fit_all({name: e.fitted for name, e in evidence.items()})
    thresholds: dict[str, float] = {}
    figures: dict[str, dict[str, Any]] = {}
    for name, e in evidence.items():
        thresholds[name], figures[name] = decide_one(e, curves[name])
    unverified = tuple(n for n, e in evidence.items() if e.verifiable < LEAST_REAL)
    return OperatingPoint(thresholds, curves, unverified), figures


def decide_one(
    e: Evidence, curve: Curve, unreached: float = threshold.BLIND_SCORE
) -> tuple[float, dict[str, Any]]:
    """By real finds, and where they do not suffice by all; never below what either asks for.

    Args:
        e: Finds of one class, raw.
        curve: Calibrates them.
        unreached: The least threshold where the precision is not reached: what is wrong too often
            has to be sure.

    Returns:
        The class's threshold, and the figures that led to it.
    """
    real, rendered = curve.judged(e.real), curve.judged(e.rendered)
    source, by = "real", real
    choice = threshold.choose(real) if e.enough else None
    both = joined(real, rendered)
    if choice is None:
        source, by = "real and rendered", both
        least = threshold.least_of_real(real)
        choice = threshold.choose(by, least) or threshold.blind(by, least)
    elif (strict := threshold.choose(both, choice.threshold)) is not None:
        # Real rooms hardly show what looks like it: rendered desks may ask for more, never less.
        source, by, choice = "real, raised by rendered", both, strict
    choice = threshold.sure(by, choice, unreached)
    shown, right = real.shown(choice.threshold)
    drawn, drawn_right = rendered.shown(choice.threshold)
    row = {
        "chosen_on": source,
        "labelled_real": real.labelled,
        "labelled_rendered": rendered.labelled,
        "raw_threshold": curve.undo(choice.threshold),
        "finds": choice.shown,
        "right": choice.right,
        "precision": choice.precision,
        "precision_bound": choice.bound,
        "recall": by.recall(choice.threshold),
        "reached": choice.reached,
        "real_finds": shown,
        "real_wrong": shown - right,
        "real_recall": real.recall(choice.threshold),
        "real_pictures": real.pictures,
        "rendered_finds": drawn,
        "rendered_wrong": drawn - drawn_right,
    }
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}
    return choice.threshold, rounded


def document(
    point: OperatingPoint, figures: dict[str, dict[str, Any]], sha256: str
) -> dict[str, Any]:
    """What `operating_point.yaml` holds."""
    return {
        "schema": 1,
        "model": sha256,
        "rule": {
            "precision": threshold.WANTED,
            "wilson_deviations": threshold.DEVIATIONS,
            "least_finds": threshold.LEAST_FINDS,
            "least_score": threshold.LEAST_SCORE,
            "least_score_unreached": threshold.BLIND_SCORE,
            "real_false": threshold.REAL_FALSE,
            "least_real_things": LEAST_REAL,
            "iou": IOU,
        },
        "thresholds": {n: round(t, 4) for n, t in point.thresholds.items()},
        "calibration": {
            n: {"scale": round(c.scale, 4), "offset": round(c.offset, 4)}
            for n, c in point.calibration.items()
        },
        "unverified": list(point.unverified),
        "not_reached": [n for n, f in figures.items() if not f["reached"]],
        "evidence": {
            # NaN is no YAML that others read.
            n: {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in f.items()}
            for n, f in figures.items()
        },
    }
