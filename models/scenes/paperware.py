"""A plain sheet and closed notebooks, as the demo clip shows them."""

from __future__ import annotations

import numpy as np

from models.scenes import textures
from models.scenes.geometry import Array, Mesh, joined, sheet, slab, tube
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Part, Surface, Thing, pick

Rng = np.random.Generator
_A4 = (0.21, 0.297)


def _curl(rng: Rng, amount: float) -> Mesh:
    """Return nothing but a curled unit sheet; `amount` metres is the highest corner."""
    direction = float(rng.uniform(0, 2 * np.pi))
    corner = rng.uniform(-1, 1, 4) * amount

    def height(u: Array, v: Array) -> Array:
        along = (u - 0.5) * np.cos(direction) + (v - 0.5) * np.sin(direction)
        lift = amount * 2 * along**2
        for weight, (cu, cv) in zip(corner, ((0, 0), (1, 0), (0, 1), (1, 1)), strict=True):
            near = np.clip(1 - np.hypot(u - cu, v - cv) / 0.45, 0, 1)
            lift = lift + weight * near**2
        return np.asarray(np.maximum(lift, 0))

    return sheet(1, 1, height)


def plain_sheet(rng: Rng) -> Thing:
    """Return one flat printed A4 sheet that may carry things."""
    width, length = _A4
    picture = textures.page(rng)
    curled = _curl(rng, 0.0).scaled(width, length, 1).moved(z=0.0004)
    surface = Surface((0.95, 0.95, 0.95), 0.85, picture=picture)
    return Thing("paper", "paper", (Part(curled, surface),), (width, length), 0.0008)


def _spiral(length: float, height: float, x: float) -> Mesh:
    rings = []
    angles = np.linspace(0, 2 * np.pi, 13)
    r = height / 2 + 0.0025
    for y in np.arange(-length / 2 + 0.01, length / 2 - 0.008, 0.0085):
        path = np.column_stack(
            [x + r * np.cos(angles), np.full(13, y), height / 2 + r * np.sin(angles)]
        )
        rings.append(tube(path, 0.0006, 5))
    return joined(rings)


def closed(rng: Rng) -> Thing:
    """Return a closed notebook, diary or book."""
    width = float(rng.choice([0.21, 0.148, 0.148, 0.13, 0.09]))
    length = width * float(rng.uniform(1.35, 1.48))
    height = (
        float(rng.uniform(0.006, 0.018))
        if rng.random() < 0.75
        else float(rng.uniform(0.018, 0.045))
    )
    front = textures.cover(rng)
    board = 0.0015
    inner = slab(width - 0.004, length - 0.006, height - 2 * board, 0.002, 0.0002)
    under = slab(width, length, board, 0.004, 0.0004)
    upper = slab(width, length, board, 0.004, 0.0004).moved(z=height - board)
    edge = tuple(float(c) / 255 for c in front[5, 5])
    bound = Surface((edge[0], edge[1], edge[2]), 0.5)
    parts = [
        Part(inner.moved(z=board), Surface((0.93, 0.91, 0.85), 0.9)),
        Part(under, bound),
        Part(upper, Surface(bound.color, float(rng.uniform(0.25, 0.8)), picture=front)),
    ]
    if rng.random() < 0.4:
        parts.append(
            Part(
                _spiral(length, height, -width / 2 + 0.003),
                Surface(pick(rng, DARKS, LIGHTS), 0.3, 0.9),
            )
        )
    else:
        spine = slab(0.003, length, height, 0.001).moved(x=-width / 2 + 0.0005)
        parts.append(Part(spine, bound))
        if rng.random() < 0.35:
            band = slab(0.006, length + 0.001, height + 0.001, 0.0005, 0.0002)
            parts.append(Part(band.moved(x=width * 0.36), Surface(pick(rng, DARKS, BRIGHTS), 0.8)))
    return Thing("notebook", "notebook", tuple(parts), (width, length), height)
