"""The detector as an ONNX graph: cut it into what is frozen and what learns, and join them again.

The shipped file is the starting graph (NanoDet-Plus-m 416, Apache-2.0, BatchNorm folded), unchanged
for the classes of `KEPT`, with a second feature pyramid and head on the same backbone for the
classes of `LEARNT`. Working on the graph itself keeps every operator as it was measured and needs
no exporter.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from models.train.detail import STEM, add_detail
from models.train.grid import SIZE
from models.train.labels import COCO, COCO_CLASSES, COCO_OF, LEARNT, SHARED, STAND_INS
from models.train.thin import make_thin

Array = npt.NDArray[np.float32]

BOX_CHANNELS: Final = 32  # four sides, eight bins each
LEVELS: Final = 3  # strides that the branch answers at: 8, 16, 32
HEAD: Final = 246  # place in the graph of the head's first convolution
MADE_FOR: Final = 416  # pixels of a side of the starting graph's input
# How much less sure a class without a counterpart in COCO starts (logits below its stand-in).
UNKNOWN_BIAS: Final = 2.5
# These narrow the backbone's outputs at strides 8, 16 and 32 for the pyramid. The branch has its
# own for the two coarser, which hold what things are; with all three the file would pass 6 MB, so
# that it reads fine detail from the stem instead (`detail.py`).
_NARROW: Final = ("Conv_182", "Conv_184", "Conv_186")


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


def conv_number(name: str) -> int:
    """Place in the graph of a parameter: 48 of `Conv_48.weight`."""
    return int(name.split(".", 1)[0].removeprefix("Conv_"))


def head_convs(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The last convolution of each stride, finest first: what feeds the class/box splits."""
    maker = {o: n for n in model.graph.node for o in n.output}
    convs = [maker[n.input[0]] for n in model.graph.node if n.op_type == "Split"]
    if len(convs) != 4 or any(c.op_type != "Conv" for c in convs):
        raise GraphError("expected four class/box splits fed by convolutions (NanoDet-Plus)")
    return convs


def conv_weights(model: onnx.ModelProto) -> dict[str, Array]:
    """Weights by torch parameter name (`<node>.weight`, `<node>.bias`)."""
    known = constants(model)
    return {
        f"{node.name}.{kind}": known[node.input[slot]].astype(np.float32)
        for node in model.graph.node
        if node.op_type == "Conv"
        for slot, kind in ((1, "weight"), (2, "bias"))
    }


def put(model: onnx.ModelProto, name: str, value: npt.NDArray[np.generic]) -> None:
    """Replace an initializer. Raises `GraphError` if there is none of that name."""
    for initializer in model.graph.initializer:
        if initializer.name == name:
            initializer.CopyFrom(numpy_helper.from_array(value, name))
            return
    raise GraphError(f"no initializer {name!r} in the graph")


def cut(model: onnx.ModelProto, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
    """The part of a graph between some of its tensors, as a graph of its own, without shapes."""
    wanted, kept = set(outputs), []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input) - set(inputs)
            kept.append(node)
    used = {name for node in kept for name in node.input}
    graph = helper.make_graph(
        kept[::-1],
        "part",
        [helper.make_tensor_value_info(i, onnx.TensorProto.FLOAT, [None] * 4) for i in inputs],
        [helper.make_tensor_value_info(o, onnx.TensorProto.FLOAT, None) for o in outputs],
        [i for i in model.graph.initializer if i.name in used],
    )
    # 13 is the newest that onnx2torch knows; no operator here changed since.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def branch_inputs(model: onnx.ModelProto) -> list[str]:
    """What the branch reads: fine features already narrowed, two coarser ones and the stem's."""
    nodes = {n.name: n for n in model.graph.node}
    fine, middle, coarse = (nodes[name] for name in _NARROW)
    (active,) = (n for n in model.graph.node if fine.output[0] in n.input)
    return [active.output[0], middle.input[0], coarse.input[0], nodes[STEM].output[0]]


def small_maps(model: onnx.ModelProto, *, head: str = "") -> dict[str, str]:
    """What the look for small phones reads, by the names of `small.MAPS`.

    Args:
        model: The starting graph.
        head: What stands before the branch's names.
    """
    _, middle, _, stem = branch_inputs(model)
    fine = next(n for n in model.graph.node if n.name == _NARROW[0]).input[0]
    return {
        "stem": stem,
        "fine": fine,
        "middle": middle,
        "head": head + head_convs(model)[0].input[0],
    }


def trunk_of(coco: onnx.ModelProto) -> onnx.ModelProto:
    """The frozen part for training: any batch size; gives the branch's inputs, then raw heads."""
    heads = [c.output[0] for c in head_convs(coco)[:LEVELS]]
    out = cut(coco, [coco.graph.input[0].name], [*branch_inputs(coco), *heads])
    fit_shapes(out, SIZE)
    _add_batch_axis(out)
    return out


def branch_of(coco: onnx.ModelProto) -> onnx.ModelProto:
    """The branch as it starts: a copy of pyramid and head, with rows for the learnt classes.

    It is whole, and learns so; `thin_branch_of` ships.
    """
    convs = head_convs(coco)[:LEVELS]
    fine, middle, coarse, stem = branch_inputs(coco)
    out = cut(coco, [fine, middle, coarse], [c.output[0] for c in convs])
    add_detail(out, stem, fine)
    known = constants(out)
    for conv in convs:
        weight, bias = (known[name].astype(np.float32) for name in conv.input[1:3])
        new_weight, new_bias = learnt_rows(weight, bias)
        put(out, conv.input[1], new_weight)
        put(out, conv.input[2], new_bias)
    return out


def thin_branch_of(coco: onnx.ModelProto) -> onnx.ModelProto:
    """The branch as it starts, with some of its convolutions split (`thin.py`): so it ships."""
    out = branch_of(coco)
    make_thin(out)
    return out


def learnt_rows(weight: Array, bias: Array) -> tuple[Array, Array]:
    """Head rows of COCO-80 -> first rows of the branch, box rows unchanged.

    Args:
        weight: [80 + 32, C, 1, 1].
        bias: [80 + 32].

    Returns:
        weight [10 + 32, C, 1, 1] and bias [10 + 32]. Rows of `SHARED` are corrections, so zero.
    """
    rows, biases = [], []
    for name in LEARNT:
        like = [COCO[stand_in] for stand_in in STAND_INS.get(name, ())]
        rows.append(weight[like].mean(0) if like else np.zeros_like(weight[0]))
        biases.append(bias[like].mean() - UNKNOWN_BIAS if like else 0.0)
    return (
        np.concatenate([np.stack(rows), weight[COCO_CLASSES:]]).astype(np.float32),
        np.concatenate([np.array(biases), bias[COCO_CLASSES:]]).astype(np.float32),
    )


def kept_rows(classes: Sequence[str]) -> list[int]:
    """Rows of the COCO-80 head that the shipped graph keeps, boxes included."""
    coco = [row for name in (*SHARED, *classes) for row in COCO_OF[name]]
    return [*coco, *range(COCO_CLASSES, COCO_CLASSES + BOX_CHANNELS)]


def digest(weights: Mapping[str, Array]) -> str:
    """A short name of a branch, by its weights."""
    told = hashlib.sha256()
    for name in sorted(weights):
        told.update(weights[name].tobytes())
    return told.hexdigest()[:16]


def write_weights(model: onnx.ModelProto, weights: Mapping[str, Array]) -> None:
    """Set a graph's convolutions. Raises `GraphError` if a name or shape is off."""
    known = constants(model)
    for node in model.graph.node:
        if node.op_type != "Conv":
            continue
        for slot, kind in ((1, "weight"), (2, "bias")):
            value = weights.get(f"{node.name}.{kind}")
            if value is None or value.shape != known[node.input[slot]].shape:
                raise GraphError(f"{node.name}.{kind}: missing or of another shape")
            put(model, node.input[slot], value.astype(np.float32))


def fit_shapes(model: onnx.ModelProto, size: int) -> None:
    """Make room for pictures of `size` in the channel shuffles, the only places that know it."""
    side = {MADE_FOR // stride: size // stride for stride in (8, 16, 32)}
    new = side | {old**2: now**2 for old, now in side.items()}
    known = constants(model)
    for node in model.graph.node:
        if node.op_type == "Reshape":
            first, channels, *rest = known[node.input[1]].tolist()
            shape = [first, channels, *(new.get(n, n) for n in rest)]
            put(model, node.input[1], np.array(shape, np.int64))


def _add_batch_axis(model: onnx.ModelProto) -> None:
    """The graph is fixed to one picture in its channel shuffles only ([2, C/2, HW])."""
    known = constants(model)
    pixels = {58: (SIZE // 8) ** 2, 116: (SIZE // 16) ** 2, 232: (SIZE // 32) ** 2}
    for node in model.graph.node:
        if node.op_type == "Transpose":
            node.attribute[0].CopyFrom(helper.make_attribute("perm", [0, 2, 1, 3]))
        if node.op_type == "Reshape":
            shape = known[node.input[1]].tolist()
            if len(shape) == 3:
                value = np.array([-1, *shape[:2], pixels[shape[1]]], np.int64)
            else:
                value = np.array([-1, *shape[1:]], np.int64)
            put(model, node.input[1], value)
