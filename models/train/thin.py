"""Makes room in the branch: wide mixing convolutions become two with fewer channels between them.

The file may have 6 MB, and the branch with a pyramid of its own fills it. It is trained whole; then
some of its 1x1 convolutions are split. Each keeps the directions in which what it says of pictures
varies most; what that lost is learnt back from the whole branch (`thin_run.py`). The room goes to
the look for small phones (`small.py`). The starting model's own pyramid is not touched.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from models.train.picture import Floats

Doubles = npt.NDArray[np.float64]

# Node of the starting graph -> channels in between, of 96. Those two that narrow the backbone for
# the pyramid, and the finest block's short cut, can spare them best: the directions that are left
# out hold 4, 5 and 4 % of the variance. Splitting the coarse blocks' short cuts instead, which
# frees as much, took more from sheets that fill the picture. The node after each is no convolution,
# so that its number is free for the second half's name, by which its eight bits go.
RANKS: Final = {"Conv_184": 55, "Conv_186": 67, "Conv_212": 24}
_KINDS: Final = ("weight", "bias")


class Said:
    """What a convolution says of pictures: how its channels vary over all places."""

    def __init__(self) -> None:
        self._count, self._total, self._products = 0, np.zeros(1), np.zeros((1, 1))

    def add(self, maps: Floats) -> None:
        """Hear its outputs [B, N, h, w] of some more pictures."""
        flat = maps.swapaxes(0, 1).reshape(maps.shape[1], -1).astype(np.float64)
        self._count += flat.shape[1]
        self._total = self._total + flat.sum(1)
        self._products = self._products + flat @ flat.T

    def mean(self) -> Doubles:
        """Of each channel: [N]."""
        return self._total / self._count

    def directions(self, count: int) -> Doubles:
        """Those in which it varies most (principal components), orthonormal: [N, count]."""
        mean = self.mean()
        _, vectors = np.linalg.eigh(self._products / self._count - np.outer(mean, mean))
        return np.asarray(vectors[:, ::-1][:, :count])  # the least came first


def make_thin(branch: onnx.ModelProto) -> None:
    """Split the convolutions of `RANKS`, in place, by their weights alone.

    `Conv_212` becomes `Conv_212` and `Conv_213`, the best approximation of its weights by so many
    channels (Eckart and Young, 1936).
    """
    known = {i.name: i for i in branch.graph.initializer}
    nodes = []
    for node in branch.graph.node:
        if node.name not in RANKS:
            nodes.append(node)
            continue
        weight, bias = (numpy_helper.to_array(known[name]) for name in node.input[1:3])
        left, _, _ = np.linalg.svd(weight[:, :, 0, 0].astype(np.float64))
        values = halves(weight, bias, left[:, : RANKS[node.name]], bias)
        for name in node.input[1:3]:
            branch.graph.initializer.remove(known[name])
        names = [f"{half}.{kind}" for half in (node.name, second_of(node.name)) for kind in _KINDS]
        branch.graph.initializer.extend(map(numpy_helper.from_array, values, names))
        between = f"{node.output[0]}_thin"
        nodes += [
            helper.make_node("Conv", [node.input[0], *names[:2]], [between], node.name),
            helper.make_node(
                "Conv", [between, *names[2:]], list(node.output), second_of(node.name)
            ),
        ]
    del branch.graph.node[:]
    branch.graph.node.extend(nodes)


def split(weights: Mapping[str, Floats], said: Mapping[str, Said]) -> dict[str, Floats]:
    """Weights of the whole branch -> of the thin one, as near on pictures as its channels allow.

    Args:
        weights: By name (`graph.conv_weights`).
        said: Of each of `RANKS`, by its name.

    Raises:
        KeyError: If one of them is missing.
    """
    out = dict(weights)
    for name, rank in RANKS.items():
        weight, bias = (weights[f"{name}.{kind}"] for kind in _KINDS)
        values = halves(weight, bias, said[name].directions(rank), said[name].mean())
        places = [f"{half}.{kind}" for half in (name, second_of(name)) for kind in _KINDS]
        out |= dict(zip(places, values, strict=True))
    return out


def second_of(name: str) -> str:
    """The name of a split convolution's second half.

    Example:
        >>> second_of("Conv_212")
        'Conv_213'
    """
    return f"Conv_{int(name.removeprefix('Conv_')) + 1}"


def halves(
    weight: npt.NDArray[np.floating[Any]],
    bias: npt.NDArray[np.floating[Any]],
    directions: Doubles,
    mean: npt.NDArray[np.floating[Any]],
) -> tuple[Floats, Floats, Floats, Floats]:
    """One 1x1 convolution as two, which say the same along some directions of its outputs.

    Args:
        weight: [N, M, 1, 1].
        bias: [N].
        directions: [N, r], orthonormal.
        mean: [N], an output that is said exactly, whatever the directions.

    Returns:
        Weights [r, M, 1, 1] and biases [r] of the first, [N, r, 1, 1] and [N] of the second.
    """
    narrow = directions.T @ weight[:, :, 0, 0].astype(np.float64)
    narrow_bias = directions.T @ (bias.astype(np.float64) - mean)
    values = (narrow[..., None, None], narrow_bias, directions[..., None, None], mean)
    first, second, third, fourth = (np.ascontiguousarray(v, np.float32) for v in values)
    return first, second, third, fourth
