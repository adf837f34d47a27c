"""Small sets, finds and models to evaluate."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from cleandesk.detector import Detections
from models.evaluation.looking import Image
from models.evaluation.matching import Judged
from models.evaluation.sets import Labelled, Picture

A, B, FAR = [0.0, 0, 10, 10], [20.0, 0, 30, 10], [80.0, 80, 90, 90]
NAMES = ("phone", "paper", "notebook", "person")


def labelled(*boxes: list[float], ignored: bool = False) -> Labelled:
    return Labelled.of([(box, ignored) for box in boxes])


def picture(
    things: dict[str, Labelled] | None = None, others: dict[str, Labelled] | None = None
) -> Picture:
    return Picture(Path("none.png"), (640, 480), things or {}, others or {})


def found(*rows: tuple[str, list[float], float]) -> Detections:
    return Detections(
        np.array([box for _, box, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, _, score in rows], np.float32),
        np.array([NAMES.index(name) for name, _, _ in rows], np.int64),
        NAMES,
        (640, 480),
    )


def judged(
    right: Sequence[float],
    wrong: Sequence[float],
    *,
    things: int | None = None,
    pictures: int = 100,
) -> Judged:
    """Finds with these scores; things that nothing found make up the rest."""
    scores = np.array([*right, *wrong], np.float32)
    missed = [0.0] * ((len(right) if things is None else things) - len(right))
    at = np.array([*right, *missed], np.float32)
    return Judged(
        scores,
        np.arange(len(scores)) < len(right),
        np.full(len(scores), 2000, np.float32),
        at,
        np.full(len(at), 2000, np.float32),
        pictures,
    )


def make_set(folder: Path, names: Sequence[str] = ("a.png",)) -> Path:
    """Grey pictures, each with a book, a crowd of books, a handbag and a zebra."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    kinds = ("book", "handbag", "zebra")
    images, notes = [], []
    for number, name in enumerate(names, start=4):
        cv2.imwrite(str(folder / "images" / name), np.full((48, 64, 3), 128, np.uint8))
        images.append({"id": number, "file_name": name, "width": 64, "height": 48})
        for kind, box, crowd in (
            (1, [1, 2, 30, 20], 1),
            (1, [10, 20, 30, 20], 0),
            (2, [0, 0, 5, 5], 0),
            (3, [9, 9, 5, 5], 0),
        ):
            notes.append({"image_id": number, "category_id": kind, "bbox": box, "iscrowd": crowd})
    categories = [{"id": i, "name": n} for i, n in enumerate(kinds, start=1)]
    data = {"images": images, "categories": categories, "annotations": notes}
    (folder / "instances.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


class Counting:
    """A model that finds the same in every picture, and counts how often it looks."""

    names = NAMES

    def __init__(self, *rows: tuple[str, list[float], float], key: str = "counting") -> None:
        self.key = key
        self.looks = 0
        self._rows = rows

    def find(self, image: Image) -> Detections:
        assert image.dtype == np.uint8
        self.looks += 1
        return found(*self._rows)
