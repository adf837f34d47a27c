"""The int8 file: the same graph with most of its convolutions in eight bits.

By onnxruntime's own static quantisation (QDQ). Weights are signed and per channel, activations are
unsigned: with signed ones it was slower than fp32 on an x86 CPU with VNNI, and ARM's dot product
takes either.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from cleandesk.detector.letterbox import Letterbox
from cleandesk.detector.manifest import Manifest
from models.train.graph import HEAD, Array
from models.train.sets import DataError, Item

NAME: Final = "desk.int8.onnx"
# The place in the graph of the backbone's last stage, from which on eight bits are used, up to the
# head. The earlier a layer the more they cost: from the stem on the logits are off by .77 (root
# mean square, on training pictures), from the second stage on by .33, from the third on by .15,
# from the last on by .09; with the head by .13 (by the mean of the pictures' ranges).
FIRST_EIGHT_BIT: Final = 137
PICTURES: Final = 128


def stays_float(node: str) -> bool:
    """Whether a node, by its name in the graph, keeps its float numbers.

    Example:
        >>> stays_float("Conv_3"), stays_float("b.Conv_190"), stays_float("Concat_output")
        (True, False, True)
    """
    number = node.rpartition("_")[2]
    return not number.isdigit() or not FIRST_EIGHT_BIT <= int(number) < HEAD


def spread(sets: Sequence[list[Item]], count: int = PICTURES) -> list[Item]:
    """Pictures of several sets, as many of each, spread evenly over it.

    Raises:
        DataError: If a set has too few.
    """
    each = count // len(sets)
    short = [str(len(items)) for items in sets if len(items) < each]
    if short:
        raise DataError(f"a set of {short[0]} pictures is too small for {each}: run `make scenes`")
    return [item for items in sets for item in items[:: len(items) // each][:each]]


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Hands pictures to onnxruntime, prepared as the box prepares them."""

    def __init__(self, manifest: Manifest, source: str, items: Sequence[Item]) -> None:
        self._tensor = np.zeros(manifest.input_shape, np.float32)
        self._letterbox = Letterbox(manifest.input, self._tensor)
        self._source, self._items = source, iter(items)

    def get_next(self) -> dict[str, Array] | None:
        item = next(self._items, None)
        if item is None:
            return None
        self._letterbox.put(item.read().picture)
        return {self._source: self._tensor}


def quantise(manifest: Manifest, items: Sequence[Item], target: Path) -> None:
    """Write the int8 file of a model.

    Args:
        manifest: Of the model in fp32.
        items: Pictures that tell how large the activations are.
        target: The file to write.

    Raises:
        DataError: If a picture cannot be read.
    """
    nodes = onnx.load(str(manifest.file)).graph
    quantize_static(
        str(manifest.file),
        str(target),
        _Reader(manifest, nodes.input[0].name, items),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[node.name for node in nodes.node if stays_float(node.name)],
        # By the widest range that any picture needs: the mean of their ranges cuts off what is
        # strongest, and less reaches the thresholds than in fp32 (recall .22 of .23, .16 of .17).
        calibrate_method=CalibrationMethod.MinMax,
    )
