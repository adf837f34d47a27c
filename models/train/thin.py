"""Makes room in the branch: wide mixing convolutions become two with fewer channels between them.

The file may have 6 MB, and the branch's copy of the starting pyramid fills it. Three of its 1x1
convolutions, the short cuts of its blocks, can do with half their channels: of what they say of
pictures, 24, 44 and 45 directions of 96 hold 96 to 98 % of the variance. What is saved is the
place of the look for small phones (`small.py`). The starting model's own pyramid is not touched.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

# Node of the starting graph -> channels in between. The node after each is no convolution, so that
# its number is free for the second half's name, by which the pyramid's rate and its eight bits go.
RANKS: Final = {"Conv_212": 24, "Conv_228": 44, "Conv_244": 45}


def make_thin(branch: onnx.ModelProto) -> None:
    """Split the convolutions of `RANKS`, in place.

    Each becomes the best approximation of its weights by so many channels (Eckart and Young,
    1936). `Conv_212` gives `Conv_212`, whose bias starts as zero, and `Conv_213`, which keeps its.
    """
    nodes = []
    for node in branch.graph.node:
        if node.name not in RANKS:
            nodes.append(node)
            continue
        (weight,) = (i for i in branch.graph.initializer if i.name == node.input[1])
        narrow, widen = halves(numpy_helper.to_array(weight), RANKS[node.name])
        names = {half: f"{node.input[1]}_{half}" for half in ("narrow", "widen", "bias")}
        branch.graph.initializer.remove(weight)
        branch.graph.initializer.extend(
            numpy_helper.from_array(value, names[half])
            for half, value in (
                ("narrow", narrow),
                ("widen", widen),
                ("bias", np.zeros(len(narrow), np.float32)),
            )
        )
        between = f"{node.output[0]}_thin"
        nodes += [
            helper.make_node(
                "Conv", [node.input[0], names["narrow"], names["bias"]], [between], node.name
            ),
            helper.make_node(
                "Conv",
                [between, names["widen"], node.input[2]],
                list(node.output),
                second_of(node.name),
            ),
        ]
    del branch.graph.node[:]
    branch.graph.node.extend(nodes)


def second_of(name: str) -> str:
    """The name of a split convolution's second half.

    Example:
        >>> second_of("Conv_212")
        'Conv_213'
    """
    return f"Conv_{int(name.removeprefix('Conv_')) + 1}"


def halves(
    weight: npt.NDArray[np.generic], rank: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Weights [N, M, 1, 1] -> [rank, M, 1, 1] and [N, rank, 1, 1], one after the other."""
    left, strength, right = np.linalg.svd(weight[:, :, 0, 0].astype(np.float64))
    root = np.sqrt(strength[:rank])
    narrow, widen = root[:, None] * right[:rank], left[:, :rank] * root
    return (
        narrow[..., None, None].astype(np.float32),
        widen[..., None, None].astype(np.float32),
    )
