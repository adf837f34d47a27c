"""The int8 file: the same graph with most of its convolutions in eight bits.

By onnxruntime's own static quantisation (QDQ). Weights are signed and per channel, activations are
unsigned: with signed ones it was slower than fp32 on an x86 CPU with VNNI, and ARM's dot product
takes either.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from cleandesk.detector.letterbox import Letterbox
from cleandesk.detector.manifest import Manifest
from models.train.graph import HEAD, Array
from models.train.sets import DataError

NAME: Final = "desk.int8.onnx"
# Quantised alone, the stem and the second stage, whose channels differ by orders of magnitude, cost
# nine tenths of all that quantising costs; the heads, where scores and boxes are made, most of
# the rest (root mean square of the logits' change: .47 and .25 against .16 of all others together).
FIRST_EIGHT_BIT: Final = 60
PICTURES: Final = 64
_SUFFIXES: Final = frozenset({".jpg", ".png"})


def stays_float(node: str) -> bool:
    """Whether a node, by its name in the graph, keeps its float numbers.

    Example:
        >>> stays_float("Conv_3"), stays_float("b.Conv_190"), stays_float("Concat_output")
        (True, False, True)
    """
    number = node.rpartition("_")[2]
    return not number.isdigit() or not FIRST_EIGHT_BIT <= int(number) < HEAD


def calibration_pictures(folders: Sequence[Path], count: int = PICTURES) -> list[Path]:
    """Pictures of several folders, as many of each, spread evenly over its names.

    Raises:
        DataError: If a folder has too few.
    """
    found, each = list[Path](), count // len(folders)
    for folder in folders:
        paths = sorted(p for p in folder.glob("*") if p.suffix in _SUFFIXES)
        if len(paths) < each:
            raise DataError(f"{folder}: fewer than {each} pictures; run `make scenes` or copy them")
        found += paths[:: len(paths) // each][:each]
    return found


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Hands pictures to onnxruntime, prepared as the box prepares them."""

    def __init__(self, manifest: Manifest, source: str, pictures: Sequence[Path]) -> None:
        self._inputs = _inputs(manifest, source, pictures)

    def get_next(self) -> dict[str, Array] | None:
        return next(self._inputs, None)


def _inputs(
    manifest: Manifest, source: str, pictures: Sequence[Path]
) -> Iterator[dict[str, Array]]:
    tensor = np.zeros(manifest.input_shape, np.float32)
    letterbox = Letterbox(manifest.input, tensor)
    for path in pictures:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise DataError(f"{path}: not a picture; remove it from the set or copy it again")
        letterbox.put(np.asarray(picture, np.uint8))
        yield {source: tensor.copy()}


def quantise(manifest: Manifest, pictures: Sequence[Path], target: Path) -> None:
    """Write the int8 file of a model.

    Args:
        manifest: Of the model in fp32.
        pictures: That tell how large the activations are.
        target: The file to write.

    Raises:
        DataError: If a picture cannot be read.
    """
    nodes = onnx.load(str(manifest.file)).graph
    quantize_static(
        str(manifest.file),
        str(target),
        _Reader(manifest, nodes.input[0].name, pictures),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[node.name for node in nodes.node if stays_float(node.name)],
        # The mean of the pictures' ranges: a single odd picture would widen a plain range for all.
        extra_options={"CalibMovingAverage": True},
    )
