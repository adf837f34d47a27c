"""Weights that belong beside a branch, in a file that names it."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from models.train.graph import Array, GraphError, digest


def save(tensors: Mapping[str, Tensor], beside: Mapping[str, Array], path: Path) -> None:
    """Keep them, whole or not at all.

    Args:
        tensors: By name.
        beside: Weights of the branch that they belong to.
        path: Of the file.
    """
    fresh = path.with_suffix(".new")
    held = {name: tensor.detach() for name, tensor in tensors.items()}
    torch.save({"net": held, "branch": digest(beside)}, fresh)
    fresh.replace(path)


def load(path: Path, beside: Mapping[str, Array], *, remedy: str) -> dict[str, Tensor]:
    """Read them.

    Args:
        path: Of the file.
        beside: Weights of the branch that they are to belong to.
        remedy: The command of `python -m models.train` that makes them anew.

    Raises:
        GraphError: If they belong to another branch.
    """
    held = torch.load(path, weights_only=True)
    if held["branch"] != digest(beside):
        raise GraphError(f"{path}: of another branch; run `python -m models.train {remedy}`")
    net: dict[str, Tensor] = held["net"]
    return net
