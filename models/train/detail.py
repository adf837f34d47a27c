"""The branch's own way to fine detail: from the stem at stride 4 to its finest features.

The starting model narrows its features at stride 8 to what COCO's classes need, and those weights
are frozen. What tells print from a blank page, or a phone of 18 pixels from a mouse, is lost there.
Here the branch filters the stem's maps (stride 4, 24 channels) itself, with two filters to a map,
and adds what they say to the narrowed features. It starts as nothing: the last weights are zero.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

STEM: Final = "MaxPool_2"  # the node whose output the path reads
STEM_CHANNELS: Final = 24
FINE_CHANNELS: Final = 96
FILTERS: Final = 2  # a map; each of them a depthwise convolution, which runtimes are quick at
KERNEL: Final = 5
SLOPE: Final = 0.1  # of the starting model's activations
# Beyond all numbers of the starting graph's own nodes: by them the path learns at the head's rate
# (`network.parameter_groups`), and stays in float numbers (`quantise.stays_float`).
_FIRST: Final = 900


def add_detail(branch: onnx.ModelProto, stem: str, fine: str) -> None:
    """Add the path to a branch, in place.

    Args:
        branch: A graph that reads `fine` [1, 96, h, w]; it gets `stem` [1, 24, 2h, 2w] as a
            further, its last input.
        stem: Name of the stem's output.
        fine: Name of the narrowed features at stride 8.
    """
    nodes: list[onnx.NodeProto] = []
    weights: dict[str, npt.NDArray[np.float32]] = {}
    rng = np.random.default_rng(0)
    for number in range(FILTERS):
        kernel = rng.normal(0, 1 / KERNEL, (STEM_CHANNELS, 1, KERNEL, KERNEL))
        names = [stem, f"filters_{number}", f"filters_bias_{number}"]
        weights[names[1]] = kernel.astype(np.float32)
        weights[names[2]] = np.zeros(STEM_CHANNELS, np.float32)
        shape = {"kernel_shape": [KERNEL, KERNEL], "pads": [KERNEL // 2] * 4, "strides": [2, 2]}
        name = f"Conv_{_FIRST + number}"
        nodes.append(_node("Conv", names, f"filtered_{number}", name, group=STEM_CHANNELS, **shape))
    mix = f"Conv_{_FIRST + FILTERS}"
    weights["mix"] = np.zeros((FINE_CHANNELS, STEM_CHANNELS * FILTERS, 1, 1), np.float32)
    weights["mix_bias"] = np.zeros(FINE_CHANNELS, np.float32)
    nodes += [
        _node("Concat", [n.output[0] for n in nodes], "filtered", "Concat_detail", axis=1),
        _node("LeakyRelu", ["filtered"], "active", "LeakyRelu_detail", alpha=SLOPE),
        _node("Conv", ["active", "mix", "mix_bias"], "detail", mix, kernel_shape=[1, 1]),
        _node("Add", [fine, "detail"], "detailed", "Add_detail"),
    ]
    for node in branch.graph.node:
        node.input[:] = ["detailed" if name == fine else name for name in node.input]
    old = list(branch.graph.node)
    del branch.graph.node[:]
    branch.graph.node.extend([*nodes, *old])
    branch.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in weights.items())
    branch.graph.input.append(
        helper.make_tensor_value_info(stem, onnx.TensorProto.FLOAT, [None] * 4)
    )


def _node(
    kind: str, inputs: Sequence[str], output: str, name: str, **attributes: object
) -> onnx.NodeProto:
    return helper.make_node(kind, list(inputs), [output], name=name, **attributes)
