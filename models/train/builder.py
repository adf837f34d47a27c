"""Nodes and constants of a graph in the making."""

from itertools import count

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper


class Builder:
    """Adds nodes one by one; names of tensors are its own."""

    def __init__(self, initializers: list[onnx.TensorProto]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers = initializers
        self._number = count()

    def constant(self, value: npt.NDArray[np.generic]) -> str:
        """Keep an array in the graph; returns its name."""
        name = f"k{next(self._number)}"
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def add(
        self, kind: str, *inputs: str, name: str = "", outputs: int = 1, **attributes: object
    ) -> list[str]:
        """Add a node; returns the names of its outputs.

        Args:
            kind: Its operator.
            inputs: Names of what it reads.
            name: Its own name; one after its first output if empty.
            outputs: How many it has.
            attributes: Of the operator.
        """
        names = [f"t{next(self._number)}" for _ in range(outputs)]
        node = helper.make_node(
            kind, [*inputs], names, name=name or f"{kind}_{names[0]}", **attributes
        )
        self.nodes.append(node)
        return names
