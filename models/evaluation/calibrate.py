"""Scores that mean what they say: Platt's scaling, class by class, drawn to what all share.

J. Platt, "Probabilistic outputs for support vector machines" (1999): a logistic curve over the
score, here over its logit, so that scale 1 and offset 0 change nothing. A normal prior around the
curve that all classes share keeps a class of few finds from one of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.evaluation.matching import Judged
from models.evaluation.sets import Flags, Floats

Doubles = npt.NDArray[np.float64]

LEAST: Final = 0.1  # weaker finds are never shown, but so many that they would bend the curve
PRIOR_SCALE, PRIOR_OFFSET = 0.3, 0.7  # how far a class may be from the others, without evidence
MOST_OF_ONE: Final = 200  # finds with which one class counts in the curve of all
EDGE: Final = 1e-6
STEPS: Final = 60
LEAST_SCALE: Final = 0.2  # a flatter curve, or a falling one, would make scores worthless
BINS: Final = 10


@dataclass(frozen=True)
class Curve:
    """Calibrated score = sigmoid(scale * logit(score) + offset)."""

    scale: float = 1.0
    offset: float = 0.0

    def apply(self, scores: Floats) -> Floats:
        """Calibrate scores, float32 [n]; what is 0 stays 0."""
        logits = np.asarray(self.scale * _logit(scores) + self.offset)
        return np.where(scores > 0, 1 / (1 + np.exp(-logits)), 0.0).astype(np.float32)

    def undo(self, score: float) -> float:
        """Return the raw score that becomes this one."""
        logit = (float(_logit(np.array([score], np.float32))[0]) - self.offset) / self.scale
        return float(1 / (1 + np.exp(-logit)))

    def judged(self, raw: Judged) -> Judged:
        """The same finds with calibrated scores."""
        return raw.with_scores(self.apply(raw.scores), self.apply(raw.found_at))


IDENTITY: Final = Curve()


def _logit(scores: Floats) -> Doubles:
    s = np.clip(scores.astype(np.float64), EDGE, 1 - EDGE)
    return np.asarray(np.log(s / (1 - s)))


def fit(scores: Floats, right: Flags, prior: Curve, weights: Doubles | None = None) -> Curve:
    """Find the likeliest curve, by Newton's method.

    Args:
        scores: float32 [n], raw.
        right: bool [n].
        prior: Where it lies without evidence.
        weights: float64 [n], how much each counts; default 1.
    """
    used = scores >= LEAST
    x = np.stack([_logit(scores[used]), np.ones(int(used.sum()))], axis=1)
    y = right[used].astype(np.float64)
    w = np.ones(len(y)) if weights is None else weights[used]
    centre = np.array([prior.scale, prior.offset])
    tight = np.array([PRIOR_SCALE, PRIOR_OFFSET]) ** -2.0

    def loss(at: Doubles) -> float:
        z = x @ at
        own = np.sum(w * (np.logaddexp(0, z) - y * z))
        return float(own + np.sum(tight * (at - centre) ** 2) / 2)

    at = centre.copy()
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ at))
        gradient = x.T @ (w * (p - y)) + tight * (at - centre)
        curvature = (x * (w * p * (1 - p))[:, None]).T @ x + np.diag(tight)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while loss(at - size * step) > loss(at) and size > EDGE:
            size /= 2
        at = at - size * step
        if np.abs(size * step).max() < EDGE:
            break
    return Curve(max(float(at[0]), LEAST_SCALE), float(at[1]))


def fit_all(finds: Mapping[str, Judged]) -> dict[str, Curve]:
    """One curve a class, and all drawn to the curve of all classes together.

    Args:
        finds: By class, with raw scores.
    """
    judged = list(finds.values())
    scores = np.concatenate([np.zeros(0, np.float32), *(j.scores for j in judged)])
    right = np.concatenate([np.zeros(0, np.bool_), *(j.right for j in judged)])
    weights = np.concatenate([np.zeros(0), *(np.full(len(j.scores), _weight(j)) for j in judged)])
    shared = fit(scores, right, IDENTITY, weights)
    return {name: fit(j.scores, j.right, shared) for name, j in finds.items()}


def _weight(judged: Judged) -> float:
    return min(1.0, MOST_OF_ONE / max(1, int((judged.scores >= LEAST).sum())))


@dataclass(frozen=True)
class Reliability:
    """What scores promise against what they hold.

    Attributes:
        promised: Mean score of each bin of a tenth, NaN where it is empty.
        held: Share of right finds.
        counts: Finds.
        error: Expected calibration error: mean distance, weighted by the counts.
    """

    promised: list[float]
    held: list[float]
    counts: list[int]
    error: float


def reliability(scores: Floats, right: Flags) -> Reliability:
    """Compare scores of at least `LEAST` with how often they were right."""
    used = scores >= LEAST
    scores, right = scores[used], right[used]
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    promised, held, counts = [], [], []
    for number in range(BINS):
        mine = bins == number
        counts.append(int(mine.sum()))
        promised.append(float(scores[mine].mean()) if mine.any() else float("nan"))
        held.append(float(right[mine].mean()) if mine.any() else float("nan"))
    gaps = [n * abs(p - h) for n, p, h in zip(counts, promised, held, strict=True) if n]
    return Reliability(promised, held, counts, sum(gaps) / max(1, len(scores)))
