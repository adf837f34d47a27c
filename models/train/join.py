"""Joins the frozen detector and the trained branch into the graph that ships.

Output [1, 19 + 32, 14912], scores after the sigmoid: first the points of the starting model at
strides 8, 16, 32, 64, which answer for `KEPT`; then those of the branch at strides 8, 16, 32, which
answer for `LEARNT`; then those of the look for small phones at stride 8. A point's scores of
classes that it does not answer for are zero. All scores of a class lie side by side in memory, so
that looking for high ones reads no boxes.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnx
from onnx import helper

from models.scenes.classes import CLASSES
from models.train.builder import Builder
from models.train.graph import (
    BOX_CHANNELS,
    LEVELS,
    Array,
    branch_inputs,
    constants,
    cut,
    fit_shapes,
    head_convs,
    kept_rows,
    put,
    small_maps,
    thin_branch_of,
    write_weights,
)
from models.train.grid import SIZE
from models.train.labels import COCO_OF, KEPT, LEARNT, NUM_LEARNT, SHARED
from models.train.small_graph import add_small

STRIDES: Final = (8, 16, 32, 64, 8, 16, 32, 8)
# What operators do if they say nothing.
DEFAULTS: Final[dict[str, dict[str, object]]] = {
    "Conv": {"dilations": [1, 1], "group": 1, "pads": [0, 0, 0, 0], "strides": [1, 1]},
    "Resize": {"coordinate_transformation_mode": b"half_pixel"},
}
# A correction goes half its way, which forgets less (WiSE-FT, arXiv:2109.01903).
CORRECTION: Final = 0.5
# The most that the look for small phones may say, less than the model's own threshold asks of a
# phone (`test_shipped.py`): by the default rules a few dark pixels open no violation, though they
# may hold one that stands. Its score s becomes s - (1 - LOUDEST) * s * s, which keeps its order.
LOUDEST: Final = 0.5
# The branch's own word on phones at stride 8 (boxes of up to 112 pixels), where it is weaker than
# this, becomes s * s / DOUBT: its boxes of the smallest are too tight, and the more of them go
# before those of the look for small phones, the fewer phones under a ceiling are found. What
# reaches phone's threshold is stronger, and stays (`test_shipped.py`).
DOUBT: Final = 0.5


def count_points(size: int, strides: Sequence[int]) -> int:
    """How many places a picture of `size` pixels a side is looked at, at these strides."""
    return sum((-(-size // stride)) ** 2 for stride in strides)


def join(
    coco: onnx.ModelProto,
    weights: Mapping[str, Array],
    small_weights: Mapping[str, Array],
    *,
    size: int = SIZE,
    correction: float = CORRECTION,
) -> onnx.ModelProto:
    """The graph that ships.

    Args:
        coco: The starting graph.
        weights: Of the thin branch, by name (`thin_run.load`).
        small_weights: Of the look for small phones (`SmallPhones.folded`).
        size: Pixels of a side of the input, a multiple of 32.
        correction: Which share of the branch's corrections counts.

    Raises:
        GraphError: If a weight is missing or of another shape.
    """
    source = coco.graph.input[0].name
    convs = head_convs(coco)
    kept = cut(coco, [source], [*(c.output[0] for c in convs), *branch_inputs(coco)])
    fit_shapes(kept, size)
    rows = kept_rows(KEPT)
    known = constants(coco)
    for conv in convs:
        for name in conv.input[1:3]:
            put(kept, name, known[name][rows])
    branch = thin_branch_of(coco)
    write_weights(branch, corrected(weights, [c.name for c in convs[:LEVELS]], correction))
    build = Builder([*kept.graph.initializer])
    build.nodes.extend(kept.graph.node)
    build.nodes.extend(_renamed(branch, build))
    small = add_small(build, small_weights, small_maps(coco, head="b."))
    _tail(build, [c.output[0] for c in convs], small, size)
    return _finished(build, source, size)


def corrected(weights: Mapping[str, Array], heads: Sequence[str], share: float) -> dict[str, Array]:
    """Weights of the branch with a share of its corrections of what the starting model says."""
    out = dict(weights)
    rows = [LEARNT.index(name) for name in SHARED]
    for name in (f"{head}.{kind}" for head in heads for kind in ("weight", "bias")):
        if name in out:
            out[name] = out[name].copy()
            out[name][rows] *= np.float32(share)
    return out


def _renamed(branch: onnx.ModelProto, build: Builder) -> list[onnx.NodeProto]:
    """Nodes of the branch under names of its own; its weights go to the builder."""
    made = {o for n in branch.graph.node for o in n.output}
    convs = {name for n in branch.graph.node if n.op_type == "Conv" for name in n.input[1:3]}
    mine = made | convs
    build.initializers.extend(
        _named(i, f"b.{i.name}") for i in branch.graph.initializer if i.name in convs
    )
    shared = {i.name for i in build.initializers}
    build.initializers.extend(
        i for i in branch.graph.initializer if i.name not in convs and i.name not in shared
    )
    out = []
    for node in branch.graph.node:
        twin = onnx.NodeProto()
        twin.CopyFrom(node)
        twin.name = f"b.{node.name}"
        twin.input[:] = [f"b.{i}" if i in mine else i for i in node.input]
        twin.output[:] = [f"b.{o}" for o in node.output]
        out.append(twin)
    return out


def _named(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    twin = onnx.TensorProto()
    twin.CopyFrom(tensor)
    twin.name = name
    return twin


def _rows(build: Builder, heads: list[str], channels: int) -> str:
    """Levels [1, C, h, w] side by side: [1, C, points]."""
    shape = build.constant(np.array([1, channels, -1], np.int64))
    flat = [build.add("Reshape", head, shape)[0] for head in heads]
    return build.add("Concat", *flat, axis=2)[0]


def _tail(build: Builder, heads: list[str], small: str, size: int) -> None:
    bags = len(COCO_OF["bag"])
    coco = len(SHARED) + bags + len(KEPT) - 1
    rows = _rows(build, heads, coco + BOX_CHANNELS)
    sizes = build.constant(np.array([len(SHARED), bags, len(KEPT) - 1, BOX_CHANNELS], np.int64))
    shared, bag, others, boxes = build.add("Split", rows, sizes, outputs=4, axis=1)
    bag = build.add("ReduceMax", bag, build.constant(np.array([1], np.int64)), keepdims=1)[0]
    scores = build.add("Sigmoid", build.add("Concat", bag, others, axis=1)[0])[0]
    before = build.constant(np.array([0, NUM_LEARNT, 0, 0, 0, 0], np.int64))
    kept = build.add("Concat", build.add("Pad", scores, before)[0], boxes, axis=1)[0]

    rows = _rows(build, [f"b.{h}" for h in heads[:LEVELS]], NUM_LEARNT + BOX_CHANNELS)
    sizes = build.constant(np.array([NUM_LEARNT, BOX_CHANNELS], np.int64))
    logits, boxes = build.add("Split", rows, sizes, outputs=2, axis=1)
    near_far = [count_points(size, STRIDES[4:7]), count_points(size, STRIDES[3:4])]
    sizes = build.constant(np.array(near_far, np.int64))
    near, _ = build.add("Split", shared, sizes, outputs=2, axis=2)
    # Puts each shared class's answer where the branch has its correction.
    place = np.zeros((1, NUM_LEARNT, len(SHARED)), np.float32)
    for column, name in enumerate(SHARED):
        place[0, LEARNT.index(name), column] = 1
    base = build.add("MatMul", build.constant(place), near)[0]
    scores = build.add("Sigmoid", build.add("Add", logits, base)[0])[0]
    scores = _doubted(build, scores, size)
    after = build.constant(np.array([0, 0, 0, 0, len(KEPT), 0], np.int64))
    learnt = build.add("Concat", build.add("Pad", scores, after)[0], boxes, axis=1)[0]

    phones = _small_points(build, small)
    build.nodes.append(
        helper.make_node("Concat", [kept, learnt, phones], ["output"], name="Concat_output", axis=2)
    )


def _doubted(build: Builder, scores: str, size: int) -> str:
    """The branch's scores [1, 10, points] with its weak word on phones at stride 8 weakened."""
    counts = [count_points(size, STRIDES[4:5]), count_points(size, STRIDES[5:7])]
    sizes = build.constant(np.array(counts, np.int64))
    fine, coarse = build.add("Split", scores, sizes, outputs=2, axis=2)
    # s * (s * steep + level): of other classes just s.
    steep, level = np.zeros((1, NUM_LEARNT, 1), np.float32), np.ones((1, NUM_LEARNT, 1), np.float32)
    phone = LEARNT.index("phone")
    steep[0, phone], level[0, phone] = 1 / DOUBT, 0
    share = build.add("Mul", fine, build.constant(steep))[0]
    share = build.add("Add", share, build.constant(level))[0]
    weaker = build.add("Mul", fine, share)[0]
    fine = build.add("Min", fine, weaker)[0]
    return build.add("Concat", fine, coarse, axis=2)[0]


def _small_points(build: Builder, small: str) -> str:
    """Points of the look for small phones as rows of all classes."""
    sizes = build.constant(np.array([1, BOX_CHANNELS], np.int64))
    shape = build.constant(np.array([1, 1 + BOX_CHANNELS, -1], np.int64))
    rows = build.add("Reshape", small, shape)[0]
    logits, boxes = build.add("Split", rows, sizes, outputs=2, axis=1)
    score = build.add("Sigmoid", logits)[0]
    share = build.constant(np.array(1 - LOUDEST, np.float32))
    too_much = build.add("Mul", build.add("Mul", score, score)[0], share)[0]
    scores = build.add("Sub", score, too_much)[0]
    first = CLASSES.index("phone")
    around = build.constant(np.array([0, first, 0, 0, len(CLASSES) - first - 1, 0], np.int64))
    return build.add("Concat", build.add("Pad", scores, around)[0], boxes, axis=1)[0]


def _finished(build: Builder, source: str, size: int) -> onnx.ModelProto:
    shape = [1, len(CLASSES) + BOX_CHANNELS, count_points(size, STRIDES)]
    graph = helper.make_graph(
        build.nodes,
        "desk",
        [helper.make_tensor_value_info(source, onnx.TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, shape)],
        build.initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    _slim(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def _slim(model: onnx.ModelProto) -> None:
    """Leave out what the file need not say: attributes at their default, long names of tensors."""
    short = {t.name: t.name for t in (*model.graph.input, *model.graph.output)}
    short[""] = ""  # an input that is left out
    for node in model.graph.node:
        told = [a for a in node.attribute if not _by_default(node, a)]
        del node.attribute[:]
        node.attribute.extend(told)
        for names in (node.input, node.output):
            names[:] = [short.setdefault(name, f"{len(short):x}") for name in names]
    for tensor in model.graph.initializer:
        tensor.name = short.setdefault(tensor.name, f"{len(short):x}")


def _by_default(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> bool:
    if node.op_type == "Conv" and attribute.name == "kernel_shape":
        return True  # that of its weights
    default = DEFAULTS.get(node.op_type, {}).get(attribute.name)
    return bool(helper.get_attribute_value(attribute) == default)
