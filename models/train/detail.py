"""The branch's own way to fine detail: from the stem at stride 4 to its finest features.

The starting model narrows its features at stride 8 to what COCO's classes need, and those weights
are frozen. What tells print from a blank page, or a phone of 18 pixels from a mouse, is lost there.
Here the branch filters the stem's maps (stride 4, 24 channels) itself, with two filters to a map,
and adds what they say to the narrowed features. It starts as nothing: the last weights are zero.
"""

from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

STEM: Final = "MaxPool_2"  # the node whose output the path reads
STEM_CHANNELS: Final = 24
FINE_CHANNELS: Final = 96
FILTERS: Final = 2  # a map
KERNEL: Final = 5
SLOPE: Final = 0.1  # of the starting model's activations
# Beyond all numbers of the starting graph's own nodes, so that the path learns at the head's rate.
_NAMES: Final = ("Conv_900", "LeakyRelu_901", "Conv_902", "Add_903")


def add_detail(branch: onnx.ModelProto, stem: str, fine: str) -> None:
    """Add the path to a branch, in place.

    Args:
        branch: A graph that reads `fine` [1, 96, h, w]; it gets `stem` [1, 24, 2h, 2w] as a
            further, its last input.
        stem: Name of the stem's output.
        fine: Name of the narrowed features at stride 8.
    """
    wide = STEM_CHANNELS * FILTERS
    start = np.random.default_rng(0).normal(0, 1 / KERNEL, (wide, 1, KERNEL, KERNEL))
    weights = {
        "detail_filters": start.astype(np.float32),
        "detail_filters_bias": np.zeros(wide, np.float32),
        "detail_mix": np.zeros((FINE_CHANNELS, wide, 1, 1), np.float32),
        "detail_mix_bias": np.zeros(FINE_CHANNELS, np.float32),
    }
    filters, active, mix, add = _NAMES
    nodes = [
        helper.make_node(
            "Conv",
            [stem, "detail_filters", "detail_filters_bias"],
            ["detail_filtered"],
            name=filters,
            group=STEM_CHANNELS,
            kernel_shape=[KERNEL, KERNEL],
            pads=[KERNEL // 2] * 4,
            strides=[2, 2],
        ),
        helper.make_node(
            "LeakyRelu", ["detail_filtered"], ["detail_active"], name=active, alpha=SLOPE
        ),
        helper.make_node(
            "Conv",
            ["detail_active", "detail_mix", "detail_mix_bias"],
            ["detail"],
            name=mix,
            kernel_shape=[1, 1],
        ),
        helper.make_node("Add", [fine, "detail"], ["detailed"], name=add),
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
