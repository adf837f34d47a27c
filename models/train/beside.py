"""Files of weights that belong beside a branch, and name it by its digest."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from models.train.graph import Array, GraphError, digest


def save(tensors: Mapping[str, Tensor], branch: Mapping[str, Array], path: Path) -> None:
    """Write weights, whole or not at all.

    Args:
        tensors: The weights, by name.
        branch: Weights of the branch that they belong beside.
        path: Of the file; its folder is made if missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    held = {name: tensor.detach() for name, tensor in tensors.items()}
    torch.save({"net": held, "branch": digest(branch)}, fresh)
    fresh.replace(path)


def load(path: Path, branch: Mapping[str, Array], *, remedy: str) -> dict[str, Tensor]:
    """Read weights.

    Args:
        path: Of the file.
        branch: Weights of the branch that they are to belong beside.
        remedy: The command of `python -m models.train` that makes them anew.

    Raises:
        GraphError: If there are none, or they belong beside another branch.
    """
    fix = f"run `python -m models.train {remedy}`"
    if not path.is_file():
        raise GraphError(f"{path}: no such file; {fix}")
    held = torch.load(path, weights_only=True)
    if held["branch"] != digest(branch):
        raise GraphError(f"{path}: made beside another branch; {fix}")
    net: dict[str, Tensor] = held["net"]
    return net
