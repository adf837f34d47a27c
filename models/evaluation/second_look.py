"""A second look at paper: whether text inside the box tells sheets from what is taken for them.

Every find of paper is cut out and read by a text detector. Rules say what a find is worth with text
and without; what counts as text, and each rule's threshold, are chosen on the choose halves of the
real rooms and the rendered desks together, as paper's own threshold is, but for its floor. One rule
is taken on from there, by the same figures, and alone decides on the report halves whether it is
worth shipping.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from cleandesk.detector import Detector
from models.evaluation.calibrate import IDENTITY, fit_all
from models.evaluation.choose import Evidence, decide_one, joined
from models.evaluation.confusion import confuse
from models.evaluation.int8 import side_by_side
from models.evaluation.looking import read_image
from models.evaluation.matching import Judged
from models.evaluation.reading import NAME, SIDES, Criterion, Read, ReadSet, Rule, crops
from models.evaluation.sets import Flags, Floats
from models.evaluation.threshold import LEAST_SCORE, WANTED, wilson

ALONE: Final = "score alone"
_LEAST_LINES: Final = (1, 2, 4)
_LEAST_SHARES: Final = (0.0, 0.1)
#: What a second look must bring on the report halves to be shipped: the proof of `WANTED` where the
#: score alone has none, at no less recall; or so much more recall at no lower a bound.
LEAST_MORE: Final = 0.1


@dataclass(frozen=True)
class Halves:
    """Real and rendered pictures of one half."""

    real: ReadSet
    rendered: ReadSet

    @property
    def labelled(self) -> int:
        """How many sheets there are."""
        return sum(s.pictures.count(NAME) for s in (self.real, self.rendered))

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self.real.found) + len(self.rendered.found)

    @property
    def to_read(self) -> int:
        """How many finds may be believed, the text in them allowing it."""
        found = (*self.real.found, *self.rendered.found)
        return sum(int((f.scores >= LEAST_SCORE).sum()) for f in found)

    def evidence(self, rule: Rule, criterion: Criterion) -> Evidence:
        """Judge both by a rule."""
        real, rendered = (s.judged(rule, criterion) for s in (self.real, self.rendered))
        return Evidence(real, rendered, real.labelled)

    def judged(self, rule: Rule, criterion: Criterion) -> Judged:
        """The same, as one."""
        evidence = self.evidence(rule, criterion)
        return joined(evidence.real, evidence.rendered)


@dataclass(frozen=True)
class Outcome:
    """How a rule does on one half, at its threshold.

    Attributes:
        shown: Finds that reach it.
        right: Right ones among them.
        bound: Lower bound of their precision, as thresholds are chosen by.
        recall: Share of the sheets that is found.
        ap50: Average precision, of which no threshold takes part.
    """

    shown: int
    right: int
    bound: float
    recall: float
    ap50: float

    def worth(self, alone: "Outcome") -> bool:
        """Whether it brings enough over the score alone."""
        proves = self.bound >= WANTED > alone.bound and self.recall >= alone.recall
        return proves or (self.recall >= alone.recall + LEAST_MORE and self.bound >= alone.bound)


@dataclass(frozen=True)
class Tried:
    """A rule with the criterion that suited it best on the choose half.

    Attributes:
        name: Of the rule.
        criterion: What counts as text; the score alone does not ask.
        threshold: Least score that is believed.
        reached: Whether the wanted precision is proven on the choose half.
        chosen: On the choose half.
        told: On the report half.
    """

    name: str
    criterion: Criterion
    threshold: float
    reached: bool
    chosen: Outcome
    told: Outcome

    @property
    def rank(self) -> tuple[bool, float, float]:
        """The better, the higher, by the choose half alone; as thresholds are chosen."""
        by = self.chosen
        return self.reached, by.recall if self.reached else by.bound, by.recall


@dataclass(frozen=True)
class SecondLook:
    """All that was measured.

    Attributes:
        tried: The score alone, then every rule.
        best: Of the rules, the one that was best on the choose half.
        truly: By what finds of the report half truly are, from a score of .5 on: how many there
            are, and how many have text by the best rule's criterion.
        labelled: Sheets on the choose half and on the report half.
        pictures: The same of pictures.
        rendered: How many of all these pictures are rendered desks.
        a_picture: Finds to read in a picture of the report half, from a score of .5 on.
    """

    tried: tuple[Tried, ...]
    best: Tried
    truly: dict[str, tuple[int, int]]
    labelled: tuple[int, int]
    pictures: tuple[int, int]
    rendered: int
    a_picture: float

    @property
    def alone(self) -> Tried:
        """The score alone."""
        return self.tried[0]

    @property
    def ship(self) -> bool:
        """Whether the report half says that the best rule is worth it."""
        return self.best.told.worth(self.alone.told)


def measure(choose: Halves, report: Halves) -> SecondLook:
    """Choose each rule's criterion and threshold on one half, and tell of it on the other."""
    criteria = [Criterion(*row) for row in product(SIDES, _LEAST_LINES, _LEAST_SHARES)]
    alone = _try(ALONE, _unchanged, criteria[0], choose, report)
    best: dict[str, Tried] = {}
    for criterion in criteria:
        for name, rule in _rules(choose, criterion, alone.threshold).items():
            tried = _try(name, rule, criterion, choose, report)
            if name not in best or tried.rank > best[name].rank:
                best[name] = tried
    winner = max(best.values(), key=lambda tried: tried.rank)
    return SecondLook(
        (alone, *best.values()),
        winner,
        _truly(report, winner.criterion),
        (choose.labelled, report.labelled),
        (choose.count, report.count),
        len(choose.rendered.found) + len(report.rendered.found),
        report.to_read / report.count,
    )


def cost(detector: Detector, read: Read, half: Halves, side: int) -> tuple[float, float]:
    """Median milliseconds of a look and of reading one find of the usual shape, in turns.

    Args:
        detector: Looks at a whole picture, on one thread.
        read: Reads one find, on one thread.
        half: Where picture and find come from.
        side: What the find is scaled to, pixels.

    Raises:
        EvaluationError: If no paper was found in the rendered desks.
    """
    picture, find = half.rendered.usual()
    image = read_image(picture.path)
    (crop,) = crops(find, image)
    look, second = side_by_side(
        [lambda: detector.detect(image, min_score=LEAST_SCORE), lambda: read(crop, side)]
    )
    return look, second


def _unchanged(scores: Floats, _text: Flags) -> Floats:
    return scores


def _with_text(scores: Floats, text: Flags) -> Floats:
    return np.where(text, scores, 0).astype(np.float32)


def _without_text(scores: Floats, text: Flags) -> Floats:
    return np.where(text, 0, scores).astype(np.float32)


def _rules(choose: Halves, criterion: Criterion, shipped: float) -> dict[str, Rule]:
    """By name; what they must know of scores they learn on the choose half."""
    curves = fit_all(
        {
            "text": choose.judged(_with_text, criterion),
            "none": choose.judged(_without_text, criterion),
        }
    )

    def vouched(scores: Floats, text: Flags) -> Floats:
        return _with_text(scores, text | (scores >= shipped))

    def curved(scores: Floats, text: Flags) -> Floats:
        return np.where(text, curves["text"].apply(scores), curves["none"].apply(scores))

    return {
        "text demanded of all": _with_text,
        f"text demanded below {shipped:.2f}": vouched,
        "a curve with text, one without": curved,
    }


def _try(name: str, rule: Rule, criterion: Criterion, choose: Halves, report: Halves) -> Tried:
    # Rules are compared by the best that each can do.
    threshold, figures = decide_one(choose.evidence(rule, criterion), IDENTITY, unreached=0)
    chosen, told = (_outcome(half.judged(rule, criterion), threshold) for half in (choose, report))
    return Tried(name, criterion, threshold, bool(figures["reached"]), chosen, told)


def _outcome(judged: Judged, threshold: float) -> Outcome:
    shown, right = judged.shown(threshold)
    return Outcome(shown, right, wilson(right, shown), judged.recall(threshold), judged.ap50)


def _truly(half: Halves, criterion: Criterion) -> dict[str, tuple[int, int]]:
    counts: list[Counter[str]] = []
    for rule in (_unchanged, _with_text):
        count: Counter[str] = Counter()
        for one in (half.real, half.rendered):
            found, at = one.by(rule, criterion), {NAME: LEAST_SCORE}
            said = confuse(found, one.pictures.pictures, at, frozenset({NAME})).said
            count.update({true: n for (_, true), n in said.items()})
        counts.append(count)
    return {true: (n, counts[1][true]) for true, n in counts[0].most_common()}
