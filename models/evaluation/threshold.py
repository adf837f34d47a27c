"""The least score from which a class is believed."""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from models.evaluation.matching import Judged
from models.evaluation.sets import Floats

WANTED: Final = 0.95
#: One-sided Wilson bound: the least of many thresholds is a lucky one, so the share itself is not
#: enough. Half a standard deviation asks for 8 right of 8, 32 of 33, 55 of 57.
DEVIATIONS: Final = 0.5
LEAST_FINDS: Final = 8
#: Nothing is believed that is likelier wrong than right, however good the finds above it are.
LEAST_SCORE: Final = 0.5
#: Where nothing is known, or that the class is wrong too often, a find must be this sure.
BLIND_SCORE: Final = 0.8
#: Wrong finds a real picture may have of a class whose threshold comes from rendered ones.
REAL_FALSE: Final = 0.01


@dataclass(frozen=True)
class Choice:
    """A threshold, and how it came about.

    Attributes:
        threshold: Of calibrated scores.
        shown: Finds that reach it.
        right: Right ones among them.
        reached: Whether precision is at least `WANTED`, by the lower bound.
    """

    threshold: float
    shown: int
    right: int
    reached: bool

    @property
    def precision(self) -> float:
        """Share of right ones; NaN if there are none."""
        return self.right / self.shown if self.shown else math.nan

    @property
    def bound(self) -> float:
        """The lower bound of the precision."""
        return wilson(self.right, self.shown)


def wilson(right: int, shown: int, deviations: float = DEVIATIONS) -> float:
    """Lower bound of a share (E. B. Wilson, 1927); 0 without evidence."""
    if not shown:
        return 0.0
    p, z = right / shown, deviations**2
    spread = deviations * math.sqrt(p * (1 - p) / shown + z / (4 * shown**2))
    return (p + z / (2 * shown) - spread) / (1 + z / shown)


def choose(judged: Judged, least: float = LEAST_SCORE) -> Choice | None:
    """Return the least threshold above which precision is as wanted, or else the best there is.

    Args:
        judged: Finds of the class with calibrated scores.
        least: No threshold below this one.

    Returns:
        None if fewer than `LEAST_FINDS` finds reach `least`: too few to choose by.
    """
    scores = -np.sort(-judged.scores)
    last = [i for i in range(len(scores)) if i + 1 == len(scores) or scores[i + 1] < scores[i]]
    thresholds = [_between(scores, i, least) for i in last if scores[i] >= least]
    all_cuts = [Choice(t, *judged.shown(t), reached=False) for t in thresholds]
    cuts = [c for c in all_cuts if c.shown >= LEAST_FINDS]
    if not cuts:
        return None
    good = [c for c in cuts if c.bound >= WANTED]
    return replace(good[-1], reached=True) if good else max(cuts, key=lambda c: c.bound)


def blind(judged: Judged, least: float = LEAST_SCORE) -> Choice:
    """Return a threshold for a class of too few finds: a high one, above all wrong finds."""
    wrong = judged.scores[~judged.right]
    above = float(wrong.max()) + 0.01 if len(wrong) else 0.0
    threshold = round(min(0.99, max(BLIND_SCORE, least, above)), 4)
    shown, right = judged.shown(threshold)
    return Choice(threshold, shown, right, reached=False)


def sure(judged: Judged, choice: Choice, least: float = BLIND_SCORE) -> Choice:
    """Raise a threshold that does not reach the precision to `least`."""
    if choice.reached or choice.threshold >= least:
        return choice
    return Choice(least, *judged.shown(least), reached=False)


def _between(scores: Floats, i: int, least: float) -> float:
    """Half way to the next weaker find, so that a hair's breadth does not lose this one."""
    below = float(scores[i + 1]) if i + 1 < len(scores) else least
    return max(least, round((float(scores[i]) + below) / 2, 4))


def least_of_real(real: Judged) -> float:
    """Return the threshold from which real pictures show few enough wrong finds.

    Args:
        real: Finds with calibrated scores on pictures in which the class hardly occurs.
    """
    wrong = np.sort(real.scores[~real.right])[::-1]
    allowed = int(REAL_FALSE * real.pictures)
    if len(wrong) <= allowed:
        return LEAST_SCORE
    return max(LEAST_SCORE, min(0.99, float(wrong[allowed]) + 0.005))
