"""The starting graph as a torch module, and its weights back out."""

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Mapping

import numpy as np
import onnx
import torch
from torch import Tensor

from models.train.graph import Array, batched_trunk

MEAN = (103.53, 116.28, 123.675)  # BGR
STD = (57.375, 57.12, 58.395)

# Convolutions are numbered in the order of the graph: 48 opens the backbone's second stage
# (stride 16), 137 its last (stride 32), 182 the feature pyramid, 246 the head.
STAGE, PYRAMID, HEAD = 48, 182, 246


def _stub_torchvision() -> None:
    """Let onnx2torch import: it wants two operators of torchvision that this graph has not."""
    if importlib.util.find_spec("torchvision") is not None:
        return
    package, ops = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    for module in (package, ops):
        module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
    ops.__dict__["roi_align"] = None
    package.__dict__["ops"] = ops
    sys.modules["torchvision"], sys.modules["torchvision.ops"] = package, ops


class Detector:
    """Pictures [B, 3, 416, 416] uint8 BGR -> logits [B, 3598, C + 32]."""

    def __init__(self, model: onnx.ModelProto) -> None:
        _stub_torchvision()
        convert = importlib.import_module("onnx2torch").convert
        self.trunk = convert(batched_trunk(model)).to(memory_format=torch.channels_last)
        self._mean = torch.tensor(MEAN).view(1, 3, 1, 1)
        self._std = torch.tensor(STD).view(1, 3, 1, 1)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Run it."""
        x = (pictures.float() - self._mean) / self._std
        levels = self.trunk(x.contiguous(memory_format=torch.channels_last))
        return torch.cat([level.flatten(2) for level in levels], 2).transpose(1, 2)

    def weights(self) -> dict[str, Array]:
        """Weights by the names that `graph.write_weights` takes."""
        return to_arrays(dict(self.trunk.named_parameters()))


def to_arrays(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    """Tensors as arrays, of convolutions only."""
    return {
        name: np.ascontiguousarray(value.detach().numpy().astype(np.float32))
        for name, value in tensors.items()
        if name.startswith("Conv_")
    }


def conv_number(name: str) -> int:
    """Place in the graph of a parameter: 48 of `Conv_48.weight`."""
    return int(name.split(".", 1)[0].removeprefix("Conv_"))


def parameter_groups(net: Detector, rate: float) -> list[dict[str, object]]:
    """Freeze the first stages; the rest learn the slower, the earlier they come.

    BatchNorm is folded into the convolutions, so nothing but a low rate keeps early layers sane.
    """
    slow, middle, fast = [], [], []
    for name, parameter in net.trunk.named_parameters():
        number = conv_number(name)
        parameter.requires_grad = number >= STAGE
        if number >= HEAD:
            fast.append(parameter)
        elif number >= PYRAMID:
            middle.append(parameter)
        elif number >= STAGE:
            slow.append(parameter)
    shares = ((slow, 0.15), (middle, 0.5), (fast, 1.0))
    return [{"params": p, "lr": rate * s, "share": s} for p, s in shares]
