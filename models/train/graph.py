"""The detector as an ONNX graph: read it into torch for training, write the weights back.

The shipped file is the starting graph (NanoDet-Plus-m 416, Apache-2.0, BatchNorm folded) with
other weights and a smaller head. Writing weights back into that graph, instead of exporting from
torch, keeps every operator as it was measured and needs no exporter.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from models.scenes.classes import CLASSES
from models.train.labels import COCO_BOOK, COCO_KNIFE, COCO_OF, COCO_TOOTHBRUSH, NUM_CLASSES

Array = npt.NDArray[np.float32]

COCO_CLASSES = 80
BOX_CHANNELS = 32  # four sides, eight bins each
# How much less sure a class without a counterpart in COCO starts (logits below its stand-in).
UNKNOWN_BIAS = 2.0


class GraphError(RuntimeError):
    """The starting graph is not the one that this code knows."""


def load(path: Path) -> onnx.ModelProto:
    """Read an ONNX file. Raises `GraphError` when there is none."""
    if not path.is_file():
        raise GraphError(f"{path}: no such file; it is the starting model, see models/README.md")
    return onnx.load(str(path))


def constants(model: onnx.ModelProto) -> dict[str, npt.NDArray[np.generic]]:
    """All initializers by name."""
    return {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}


def head_convs(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The last convolution of each stride, finest first: what feeds the class/box splits."""
    maker = {o: n for n in model.graph.node for o in n.output}
    convs = [maker[n.input[0]] for n in model.graph.node if n.op_type == "Split"]
    if len(convs) != 4 or any(c.op_type != "Conv" for c in convs):
        raise GraphError("expected four class/box splits fed by convolutions (NanoDet-Plus)")
    return convs


def _put(model: onnx.ModelProto, name: str, value: npt.NDArray[np.generic]) -> None:
    for initializer in model.graph.initializer:
        if initializer.name == name:
            initializer.CopyFrom(numpy_helper.from_array(value, name))
            return
    raise GraphError(f"no initializer {name!r} in the graph")


def remap_rows(weight: Array, bias: Array) -> tuple[Array, Array]:
    """Head rows of COCO-80 -> rows of our classes, box rows unchanged.

    Args:
        weight: [80 + 32, C, 1, 1].
        bias: [80 + 32].

    Returns:
        weight [11 + 32, C, 1, 1] and bias [11 + 32]. Paper starts from book, pen from the mean of
        toothbrush and knife, both with a lower bias: they are to be learnt.
    """
    rows, biases = [], []
    for name in CLASSES:
        if name in COCO_OF:
            rows.append(weight[COCO_OF[name]])
            biases.append(bias[COCO_OF[name]])
        elif name == "paper":
            rows.append(weight[COCO_BOOK])
            biases.append(bias[COCO_BOOK] - UNKNOWN_BIAS)
        else:
            rows.append((weight[COCO_KNIFE] + weight[COCO_TOOTHBRUSH]) / 2)
            biases.append((bias[COCO_KNIFE] + bias[COCO_TOOTHBRUSH]) / 2 - UNKNOWN_BIAS)
    return (
        np.concatenate([np.stack(rows), weight[COCO_CLASSES:]]),
        np.concatenate([np.stack(biases), bias[COCO_CLASSES:]]).astype(np.float32),
    )


def remap_head(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the COCO-80 graph whose head answers for our classes; output [1, 3598, 11 + 32]."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    known = constants(out)
    width = NUM_CLASSES + BOX_CHANNELS
    for conv in head_convs(out):
        raw_weight, raw_bias = (known[name].astype(np.float32) for name in conv.input[1:3])
        weight, bias = remap_rows(raw_weight, raw_bias)
        _put(out, conv.input[1], weight)
        _put(out, conv.input[2], bias)
    for node in out.graph.node:
        if node.op_type == "Split":
            _put(out, node.input[1], np.array([NUM_CLASSES, BOX_CHANNELS], np.int64))
        if node.op_type == "Reshape" and known[node.input[1]].tolist()[:2] == [1, 112]:
            _put(out, node.input[1], np.array([1, width, -1], np.int64))
    out.graph.output[0].type.tensor_type.shape.dim[2].dim_value = width
    del out.graph.value_info[:]
    del out.metadata_props[:]
    onnx.checker.check_model(out)
    return out


def conv_weights(model: onnx.ModelProto) -> dict[str, Array]:
    """Weights by torch parameter name (`<node>.weight`, `<node>.bias`)."""
    known = constants(model)
    return {
        f"{node.name}.{kind}": known[node.input[slot]].astype(np.float32)
        for node in model.graph.node
        if node.op_type == "Conv"
        for slot, kind in ((1, "weight"), (2, "bias"))
    }


def write_weights(model: onnx.ModelProto, weights: Mapping[str, Array]) -> onnx.ModelProto:
    """A copy of the graph with these weights. Raises `GraphError` if a name or shape is off."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    known = constants(out)
    for node in out.graph.node:
        if node.op_type != "Conv":
            continue
        for slot, kind in ((1, "weight"), (2, "bias")):
            value = weights.get(f"{node.name}.{kind}")
            if value is None or value.shape != known[node.input[slot]].shape:
                raise GraphError(f"{node.name}.{kind}: missing or of another shape")
            _put(out, node.input[slot], value.astype(np.float32))
    onnx.checker.check_model(out)
    return out


def blend(
    start: Mapping[str, Array], trained: Mapping[str, Array], share: float
) -> dict[str, Array]:
    """Weights on the way from `start` (share 0) to `trained` (share 1).

    A fine-tuned model that goes a part of the way keeps most of what it learnt and forgets less of
    what it knew (WiSE-FT, arXiv:2109.01903).
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share {share} is not within 0..1")
    return {
        name: np.asarray(start[name] * (1 - share) + value * share, np.float32)
        for name, value in trained.items()
    }


def batched_trunk(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy for training: any batch size, cut at the four raw head convolutions.

    The graph is fixed to one picture in its channel shuffles only ([2, C/2, HW], no batch axis).
    """
    out = onnx.ModelProto()
    out.CopyFrom(model)
    outputs = [c.output[0] for c in head_convs(out)]
    kept = _ancestors(out, outputs)
    del out.graph.node[:]
    out.graph.node.extend(kept)
    del out.graph.output[:]
    out.graph.output.extend(
        onnx.helper.make_tensor_value_info(o, onnx.TensorProto.FLOAT, None) for o in outputs
    )
    del out.graph.value_info[:]
    _add_batch_axis(out)
    for opset in out.opset_import:
        opset.version = 13  # the newest that onnx2torch knows; no operator here changed since
    return out


def _ancestors(model: onnx.ModelProto, outputs: list[str]) -> list[onnx.NodeProto]:
    wanted, kept = set(outputs), []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]


def _add_batch_axis(model: onnx.ModelProto) -> None:
    known = constants(model)
    pixels = {58: 52 * 52, 116: 26 * 26, 232: 13 * 13}
    for node in model.graph.node:
        if node.op_type == "Transpose":
            node.attribute[0].CopyFrom(onnx.helper.make_attribute("perm", [0, 2, 1, 3]))
        if node.op_type == "Reshape":
            shape = known[node.input[1]].tolist()
            if len(shape) == 3:
                value = np.array([-1, *shape[:2], pixels[shape[1]]], np.int64)
            else:
                value = np.array([-1, *shape[1:]], np.int64)
            _put(model, node.input[1], value)
