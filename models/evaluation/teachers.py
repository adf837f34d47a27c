"""The COCO detectors that the desk model is compared with, made to speak of our classes."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from cleandesk.detector import Detections
from cleandesk.detector.decode import MOST_DETECTIONS, suppress
from models.evaluation.looking import FLOOR, Image
from models.evaluation.sets import SHARED, EvaluationError
from models.train.labels import our_name

FOLDER: Final = SHARED / "teachers"
KEYS: Final = ("nanodet_plus_m_416", "picodet_s_416", "yolox_nano")
#: What both know; the mean over these compares them.
DESK: Final = (
    "phone",
    "notebook",
    "cup",
    "bottle",
    "laptop",
    "keyboard",
    "mouse",
    "monitor",
    "remote",
    "bag",
    "person",
)
_IOU: Final = 0.6
Find = Callable[..., Any]


class Teacher:
    """One of them."""

    names = DESK

    def __init__(self, key: str, find: Find, coco: list[str]) -> None:
        """Wrap it.

        Args:
            key: Its name.
            find: A picture and a least score -> float [n, 6]: box, score, class of COCO.
            coco: COCO's names in the order of `find`'s classes.
        """
        self.key = key
        self._find = find
        ours = [our_name(name) for name in coco]
        self._ours = np.array([DESK.index(n) if n in DESK else -1 for n in ours], np.int64)

    def find(self, image: Image) -> Detections:
        """Return what it finds of our classes; handbag and backpack become one bag."""
        rows = self._find(image, thr=FLOOR)
        ids = self._ours[rows[:, 5].astype(np.int64)]
        known = ids >= 0
        boxes, scores = rows[known, :4].astype(np.float32), rows[known, 4].astype(np.float32)
        ids = ids[known]
        kept = suppress(boxes, scores, ids, _IOU)[:MOST_DETECTIONS]
        size = (image.shape[1], image.shape[0])
        return Detections(boxes[kept], scores[kept], ids[kept], self.names, size)


def load(folder: Path = FOLDER) -> list[Teacher]:
    """Load all three.

    Raises:
        EvaluationError: If they are not there.
    """
    spec = importlib.util.spec_from_file_location("teachers_decode", folder / "decode.py")
    if spec is None or spec.loader is None or not (folder / "decode.py").is_file():
        raise EvaluationError(f"{folder}/decode.py: no such file; lay the teachers there")
    decode = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(decode)
    return [Teacher(key, decode.make(key, 1), list(decode.COCO)) for key in KEYS]
