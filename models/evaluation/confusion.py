"""What wrong finds truly are: another class, a look-alike, a loose or second box, or nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cleandesk.detector import Detections
from models.evaluation.matching import IGNORED, IOU, assign, overlaps
from models.evaluation.sets import Floats, Labelled, Picture

NOTHING: Final = "nothing labelled"
LOOSE: Final = "loose box"
TWICE: Final = "second box"
UNSURE: Final = "left open"
MISSED: Final = "missed"
_LOOSE_IOU: Final = 0.1


@dataclass(frozen=True)
class Confusion:
    """Counts of what was said and what is true.

    Attributes:
        said: By (class said, what it truly is); the latter is a class, the name of an unlabelled
            thing, or one of the words above.
        missed: By class, things of which nothing was said.
        others: By name, how many unlabelled things there are.
    """

    said: Counter[tuple[str, str]]
    missed: Counter[str]
    others: Counter[str]

    def taken_for(self, other: str) -> list[tuple[str, int]]:
        """As what an unlabelled thing was accused, and how often."""
        rows = [(said, n) for (said, true), n in self.said.items() if true == other]
        return sorted(rows, key=lambda row: (-row[1], row[0]))

    def wrong(self) -> list[tuple[str, str, int]]:
        """All mistakes, the most frequent first."""
        rows = [(said, true, n) for (said, true), n in self.said.items() if said != true]
        return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))

    def columns(self, names: Sequence[str]) -> list[str]:
        """What is true, for a table: classes first, then others by how often, then the words."""
        words = (LOOSE, TWICE, UNSURE, NOTHING)
        others: Counter[str] = Counter()
        for (_, true), n in self.said.items():
            if true not in names and true not in words:
                others[true] += n
        return [*names, *(name for name, _ in others.most_common()), *words]


def confuse(
    found: Sequence[Detections],
    pictures: Sequence[Picture],
    thresholds: dict[str, float],
    labelled: frozenset[str],
) -> Confusion:
    """Say of every find that reaches its class's threshold what it truly is.

    Args:
        found: With scores of the same kind as the thresholds.
        pictures: What is there.
        thresholds: By class.
        labelled: Classes that count; of others nobody knows where they are.
    """
    out = Confusion(Counter(), Counter(), Counter())
    for seen, picture in zip(found, pictures, strict=True):
        out.others.update({name: len(t.boxes) for name, t in picture.others.items()})
        for name in sorted(labelled & set(seen.names)):
            there = picture.of(name)
            chosen = (seen.class_ids == seen.names.index(name)) & (seen.scores >= thresholds[name])
            boxes = seen.boxes[chosen]
            hits = assign(boxes, there)
            total = int((~there.ignored).sum())
            out.missed[name] += total - int((hits >= 0).sum())
            for box, hit in zip(boxes, hits, strict=True):
                if hit != IGNORED:
                    true = name if hit >= 0 else _what(box, name, picture)
                    out.said[name, true] += 1
    return out


def _what(box: Floats, said: str, picture: Picture) -> str:
    """What a wrong find covers most."""
    mine = _best(box, picture.of(said))
    if mine >= IOU:
        return TWICE
    rivals = {n: t for n, t in {**picture.things, **picture.others}.items() if n != said}
    best, name = max(((_best(box, t), n) for n, t in rivals.items()), default=(0.0, NOTHING))
    if best >= IOU:
        return name
    if mine >= _LOOSE_IOU:
        return LOOSE
    unsure = max((_best(box, t, ignored=True) for t in rivals.values()), default=0.0)
    return UNSURE if unsure >= IOU else NOTHING


def _best(box: Floats, things: Labelled, *, ignored: bool = False) -> float:
    boxes = things.boxes[things.ignored == ignored]
    if not len(boxes):
        return 0.0
    over = overlaps(box[None], Labelled(boxes, np.zeros(len(boxes), np.bool_)))
    return float(over.max())
