"""Finds of paper are cut out, read once at each size, and scored anew by a rule."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.evaluation.looking import Image
from models.evaluation.reading import SIDES, Criterion, ReadSet, crops, read_set
from models.evaluation.sets import EvaluationError, Flags, Floats, Picture, PictureSet
from models.evaluation.text_detector import Text
from tests.unit.models.evaluation.makers import FAR, A, B, found, labelled, picture

ANY = Criterion(SIDES[0], 1, 0)
PAPER = frozenset({"paper"})


def with_text(scores: Floats, text: Flags) -> Floats:
    return np.where(text, scores, 0).astype(np.float32)


def two_finds(*lines: int) -> ReadSet:
    """A sheet is found at A, and something at B that is none."""
    pictures = PictureSet("desks", (picture({"paper": labelled(A)}),), PAPER)
    seen = found(("paper", B, 0.9), ("paper", A, 0.8))
    texts = tuple(Text(n, n / 10) for n in lines)
    return ReadSet(pictures, (seen,), dict.fromkeys(SIDES, (texts,)))


@pytest.mark.parametrize(
    ("lines", "share", "met"), [(1, 0.0, [False, True, True]), (3, 0.0, [False, False, True]),
                                (1, 0.2, [False, False, True])],
)  # fmt: skip
def test_text_is_so_many_lines_that_cover_so_much(
    lines: int, share: float, met: list[bool]
) -> None:
    texts = [Text(0, 0.0), Text(2, 0.1), Text(3, 0.3)]
    assert Criterion(320, lines, share).met(texts).tolist() == met


def test_a_rule_drops_finds() -> None:
    judged = two_finds(0, 2).judged(with_text, ANY)
    assert judged.right.tolist() == [True]
    assert judged.labelled == 1


def test_a_rule_may_turn_the_order_of_finds() -> None:
    read = two_finds(0, 2)
    (seen,) = read.by(lambda s, text: np.where(text, s, s / 2).astype(np.float32), ANY)
    assert seen.boxes.tolist() == [A, B]
    assert seen.scores.tolist() == pytest.approx([0.8, 0.45])


def test_crops_stay_in_the_picture() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    seen = found(("paper", [-4.0, 1.5, 10.2, 20], 0.9), ("paper", [60, 40, 80, 90], 0.8))
    assert [c.shape[:2] for c in crops(seen, image)] == [(19, 11), (8, 4)]


def test_only_paper_is_read_that_may_count(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((480, 640, 3), np.uint8))
    desks = PictureSet("desks", (Picture(path, (640, 480), {}, {}),), PAPER)
    sizes = []

    def read(image: Image, side: int) -> Text:
        sizes.append((image.shape[:2], side))
        return Text(side, 0.0)

    seen = found(("paper", A, 0.9), ("phone", B, 0.9), ("paper", FAR, 0.05))
    made = read_set(desks, [seen], read, quiet=True)
    assert sizes == [((10, 10), side) for side in SIDES]
    assert made.found[0].boxes.tolist() == [A]
    assert made.texts == {side: ((Text(side, 0.0),),) for side in SIDES}


def test_the_usual_find_is_of_median_shape() -> None:
    seen = found(*(("paper", [0.0, 0, 10 * n, 10], 0.9) for n in (1, 9, 2)))
    pictures = PictureSet("desks", (picture(),), PAPER)
    _, find = ReadSet(pictures, (seen,), {}).usual()
    assert find.boxes.tolist() == [[0, 0, 20, 10]]


def test_where_no_paper_is_found_that_is_said() -> None:
    empty = ReadSet(PictureSet("desks", (picture(),), PAPER), (found(),), {})
    with pytest.raises(EvaluationError, match="desks: no paper is found"):
        empty.usual()
