"""The look for small phones as nodes of the graph that ships."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from models.train.builder import Builder
from models.train.detail import FILTERS, SLOPE
from models.train.graph import Array, GraphError
from models.train.small import SmallPhones

# Beyond all numbers of other nodes: by them it stays in float numbers (`quantise.stays_float`).
_FIRST: Final = 910


def add_small(build: Builder, weights: Mapping[str, Array], maps: Mapping[str, str]) -> str:
    """Add the nodes; returns the name of their output, logits [1, 1 + 4 * BINS, h, w] at stride 8.

    Args:
        build: The graph.
        weights: Plain convolutions (`SmallPhones.folded`).
        maps: Names of the tensors that are read, by the names of `small.MAPS`.

    Raises:
        GraphError: If a weight is missing or of another shape.
    """
    for name, value in SmallPhones().folded().items():
        if name not in weights or weights[name].shape != value.shape:
            raise GraphError(f"{name}: missing or of another shape")
    places = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
    numbers = {place: _FIRST + number for number, place in enumerate(places)}

    def conv(place: str, source: str, **attributes: Any) -> str:
        held = [weights[f"{place}.{k}"] for k in ("weight", "bias") if f"{place}.{k}" in weights]
        names = [build.constant(value) for value in held]
        name = f"Conv_{numbers[place]}"
        return build.add("Conv", source, *names, name=name, **attributes)[0]

    def spread(place: str, source: str, stride: int = 1) -> str:
        weight = weights[f"{place}.weight"]
        groups = len(weight) // (FILTERS if place == "filters" else 1)
        pads = [weight.shape[-1] // 2] * 4
        return conv(place, source, group=groups, pads=pads, strides=[stride, stride])

    def active(source: str) -> str:
        return build.add("LeakyRelu", source, alpha=SLOPE)[0]

    stem = active(spread("filters", maps["stem"], stride=2))
    scales = build.constant(np.array([1, 1, 2, 2], np.float32))
    middle = build.add("Resize", conv("middle", maps["middle"]), "", scales, mode="nearest")[0]
    mixed = build.add("Add", conv("stem", stem), middle)[0]
    for name in ("fine", "head"):
        mixed = build.add("Add", mixed, conv(name, maps[name]))[0]
    out = active(mixed)
    for number in range(sum(place.startswith("spread_") for place in places)):
        out = active(conv(f"combine_{number}", active(spread(f"spread_{number}", out))))
    return conv("answer", out)
