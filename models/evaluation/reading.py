"""Finds of paper, and the text that a text detector sees in them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from rich.console import Console
from rich.progress import track

from cleandesk.detector import Detections
from models.evaluation.calibrate import LEAST
from models.evaluation.looking import Image, read_image
from models.evaluation.matching import Judged, judge
from models.evaluation.sets import EvaluationError, Flags, Floats, Picture, PictureSet
from models.evaluation.text_detector import Text

NAME: Final = "paper"
#: The longer side that a find is scaled to before it is read, pixels.
SIDES: Final = (320, 480, 640)
#: Scores and whether there is text, of any finds -> their scores by a rule; 0 drops a find.
Rule = Callable[[Floats, Flags], Floats]
Read = Callable[[Image, int], Text]


@dataclass(frozen=True)
class Criterion:
    """From when on a find counts as one with text.

    Attributes:
        side: The longer side that it is read at, pixels.
        lines: Least number of lines.
        share: Least part of the box that they cover.
    """

    side: int
    lines: int
    share: float

    def met(self, texts: Sequence[Text]) -> Flags:
        """Tell of each, bool [n]."""
        hits = [t.lines >= self.lines and t.share >= self.share for t in texts]
        return np.array(hits, np.bool_)


@dataclass(frozen=True)
class ReadSet:
    """The paper found in a set of pictures, and the text in it.

    Attributes:
        pictures: The set.
        found: One entry a picture: paper alone, calibrated, of at least the least score that
            calibration looks at.
        texts: By side, one entry a picture: one of each find.
    """

    pictures: PictureSet
    found: tuple[Detections, ...]
    texts: dict[int, tuple[tuple[Text, ...], ...]]

    def by(self, rule: Rule, criterion: Criterion) -> list[Detections]:
        """What a rule makes of the finds, best first."""
        rows = zip(self.found, self.texts[criterion.side], strict=True)
        return [_rescored(seen, rule(seen.scores, criterion.met(texts))) for seen, texts in rows]

    def usual(self) -> tuple[Picture, Detections]:
        """Return the find whose shape is the median one, alone, and its picture.

        Raises:
            EvaluationError: If nothing was found.
        """
        finds = [
            (p, f.where(np.arange(len(f)) == i))
            for p, f in zip(self.pictures.pictures, self.found, strict=True)
            for i in range(len(f))
        ]
        if not finds:
            raise EvaluationError(f"{self.pictures.name}: no paper is found; render more pictures")
        return sorted(finds, key=lambda row: _slender(row[1]))[len(finds) // 2]

    def judged(self, rule: Rule, criterion: Criterion) -> Judged:
        """The same, matched with what is there."""
        return judge(self.by(rule, criterion), self.pictures.pictures, NAME)


def _slender(find: Detections) -> float:
    width, height = find.boxes[0, 2:] - find.boxes[0, :2]
    return float(max(width, height) / max(1.0, min(width, height)))


def _rescored(seen: Detections, scores: Floats) -> Detections:
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > 0]
    return replace(
        seen, boxes=seen.boxes[order], scores=scores[order], class_ids=seen.class_ids[order]
    )


def crops(found: Detections, image: Image) -> Iterator[Image]:
    """Cut the finds out of their picture."""
    for box in found.boxes:
        x1, y1 = np.floor(box[:2].clip(0)).astype(int)
        x2, y2 = np.ceil(box[2:].clip(0)).astype(int)
        yield image[y1:y2, x1:x2]


def read_set(
    pictures: PictureSet, found: Sequence[Detections], read: Read, *, quiet: bool = False
) -> ReadSet:
    """Read all paper that was found.

    Args:
        pictures: The set.
        found: One entry a picture, calibrated.
        read: Reads one find.
        quiet: No progress bar.
    """
    papers = tuple(
        f.where((f.class_ids == f.names.index(NAME)) & (f.scores >= LEAST)) for f in found
    )
    texts: dict[int, list[tuple[Text, ...]]] = {side: [] for side in SIDES}
    rows = track(
        list(zip(pictures.pictures, papers, strict=True)),
        f"text: {pictures.name}",
        console=Console(stderr=True),
        disable=quiet,
    )
    for picture, paper in rows:
        cut = list(crops(paper, read_image(picture.path))) if len(paper) else []
        for side, texts_of_side in texts.items():
            texts_of_side.append(tuple(read(crop, side) for crop in cut))
    return ReadSet(pictures, papers, {side: tuple(rows) for side, rows in texts.items()})
