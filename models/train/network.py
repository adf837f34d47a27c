"""The starting graph as torch modules: a frozen one, and the branch that learns beside it."""

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from torch import Tensor

from models.train.graph import HEAD, LEVELS, Array, branch_of, conv_number, trunk_of
from models.train.grid import MEAN, STD
from models.train.labels import COCO_OF, LEARNT, SHARED


def _stub_torchvision() -> None:
    """Let onnx2torch import: it wants two operators of torchvision that this graph has not."""
    if importlib.util.find_spec("torchvision") is not None:
        return
    package, ops = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    for stub in (package, ops):
        stub.__spec__ = importlib.machinery.ModuleSpec(stub.__name__, None)
    ops.__dict__["roi_align"] = None
    package.__dict__["ops"] = ops
    sys.modules["torchvision"], sys.modules["torchvision.ops"] = package, ops


def to_torch(model: onnx.ModelProto) -> Any:
    """A part of the starting graph as a torch module, with the graph's names."""
    _stub_torchvision()
    convert = importlib.import_module("onnx2torch").convert
    return convert(model).to(memory_format=torch.channels_last)


def _rows(levels: list[Tensor]) -> Tensor:
    return torch.cat([level.flatten(2) for level in levels], 2).transpose(1, 2)


class Seen(NamedTuple):
    """What the frozen part makes of a batch.

    Attributes:
        features: What the branch reads: four maps [B, C, h, w].
        coco: The COCO-80 model's own logits [B, 5376, 80 + 32].
    """

    features: list[Tensor]
    coco: Tensor


class Detector:
    """Frozen COCO-80 detector, and a branch for the classes of `LEARNT` on the same features."""

    def __init__(self, coco: onnx.ModelProto, branch: onnx.ModelProto | None = None) -> None:
        """Make it.

        Args:
            coco: The starting graph.
            branch: With its weights; default: as it starts.
        """
        self._trunk = to_torch(trunk_of(coco)).requires_grad_(requires_grad=False)
        self.branch = to_torch(branch or branch_of(coco))
        self._mean = torch.tensor(MEAN).view(1, 3, 1, 1)
        self._std = torch.tensor(STD).view(1, 3, 1, 1)

    def see(self, pictures: Tensor) -> Seen:
        """Pictures [B, 3, 512, 512] uint8 BGR -> what the frozen part makes of them."""
        with torch.no_grad():
            x = (pictures.float() - self._mean) / self._std
            maps = self._trunk(x.contiguous(memory_format=torch.channels_last))
        return Seen(maps[:-LEVELS], _rows(maps[-LEVELS:]))

    def answer(self, seen: Seen) -> Tensor:
        """What `answer_of` says for its own branch."""
        return answer_of(self.branch, seen)

    def weights(self) -> dict[str, Array]:
        """Weights of the branch by name (`graph.conv_weights`)."""
        return to_arrays(dict(self.branch.named_parameters()))


def answer_of(branch: Any, seen: Seen) -> Tensor:
    """Logits [B, 5376, 10 + 32]; of shared classes, the starting model's plus a correction.

    Args:
        branch: That is asked (`to_torch`).
        seen: Of the pictures.
    """
    raw = _rows(branch(*seen.features))
    base = torch.zeros_like(raw)
    for name in SHARED:
        base[..., LEARNT.index(name)] = seen.coco[..., COCO_OF[name][0]]
    return raw + base


def to_arrays(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    """Tensors as arrays, of convolutions only."""
    return {
        name: np.ascontiguousarray(value.detach().numpy().astype(np.float32))
        for name, value in tensors.items()
        if name.startswith("Conv_")
    }


def parameter_groups(net: Detector, rate: float) -> list[dict[str, object]]:
    """The feature pyramid learns at half the rate of the head and of the way to fine detail.

    BatchNorm is folded into the convolutions, so nothing but a low rate keeps early layers sane.
    """
    pyramid: list[torch.nn.Parameter] = []
    head: list[torch.nn.Parameter] = []
    for name, parameter in net.branch.named_parameters():
        (head if conv_number(name) >= HEAD else pyramid).append(parameter)
    shares = ((pyramid, 0.5), (head, 1.0))
    return [{"params": p, "lr": rate * s, "share": s} for p, s in shares]
