"""Sheets of paper, notebooks and books."""

from __future__ import annotations

import numpy as np

from models.scenes import textures
from models.scenes.geometry import Array, Mesh, joined, sheet, slab, tube
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Part, Surface, Thing, pick

Rng = np.random.Generator
_FORMATS = ((0.21, 0.297), (0.21, 0.297), (0.216, 0.279), (0.148, 0.21), (0.105, 0.21))


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


def paper(rng: Rng, *, flat: bool = False, plain: bool = False) -> Thing:
    """Return a sheet, A4 to receipt; `flat` ones may carry things, `plain` ones are single A4."""
    width, length = _FORMATS[0 if plain else int(rng.integers(len(_FORMATS)))]
    kind = 1.0 if plain else float(rng.random())
    if kind < 0.1:
        width, length = float(rng.uniform(0.057, 0.08)), float(rng.uniform(0.12, 0.26))
    elif kind < 0.2:
        width = length = 0.076
    picture = textures.page(rng, int(496 * min(1, width / 0.15)), int(702 * min(1, length / 0.2)))
    if 0.1 <= kind < 0.2:
        tint = pick(rng, ((0.98, 0.9, 0.4), (0.98, 0.6, 0.75), (0.6, 0.9, 0.6), (0.5, 0.8, 0.95)))
        picture = (textures.ruled(rng, 200, 200) * np.array(tint)).astype(np.uint8)
    amount = 0.0 if flat else float(rng.choice([0.0005, 0.003, 0.008, 0.016]))
    surface = Surface((0.95, 0.95, 0.95), 0.85, picture=picture)
    curled = _curl(rng, amount).scaled(width, length, 1).moved(z=0.0004)
    parts = [Part(curled, surface)]
    if not plain and rng.random() < 0.18:
        pile = slab(width, length, float(rng.uniform(0.001, 0.008)), 0.0005, 0.0001)
        parts = [
            Part(pile, Surface((0.93, 0.93, 0.92), 0.85)),
            Part(curled.moved(z=float(pile.vertices[:, 2].max())), surface),
        ]
    top = float(parts[0].mesh.vertices[:, 2].max()) if len(parts) > 1 else 0.0
    return Thing("paper", "paper", tuple(parts), (width, length), top + 0.0008 if flat else 0.0)


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


def opened(rng: Rng) -> Thing:
    """Return an open notebook or book: two bulging pages beside a spine."""
    width = float(rng.choice([0.21, 0.148, 0.14]))
    length = width * float(rng.uniform(1.35, 1.48))
    height = float(rng.uniform(0.004, 0.018))
    printed = rng.random() < 0.25

    def bulge(u: Array, v: Array) -> Array:
        rise = np.sin(np.clip(u, 0, 1) ** 0.55 * np.pi) * 0.35 + 0.75 * (u > 0) * (1 - u * 0.4)
        return np.asarray(height * np.clip(rise, 0.05, 1.1) + 0 * v)

    parts = [
        Part(
            slab(2 * width + 0.008, length + 0.006, 0.0015, 0.004, 0.0004),
            Surface(pick(rng, BRIGHTS, DARKS), 0.6),
        )
    ]
    paper_edge = Surface((0.94, 0.92, 0.87), 0.9)
    for side in (1.0, -1.0):
        leaf = sheet(1, 1, bulge, 18, 2).moved(x=0.5)
        picture = textures.page(rng) if printed else textures.ruled(rng)
        right = leaf.scaled(width, length, 1).moved(z=0.0022)
        if side < 0:
            mirrored = right.scaled(-1, 1, 1)
            uv = np.column_stack([1 - mirrored.uv[:, 0], mirrored.uv[:, 1]])
            right = Mesh(mirrored.vertices, tuple(f[::-1] for f in mirrored.faces), uv)
        block = slab(width - 0.004, length - 0.002, height * 0.55, 0.001, 0.0002)
        parts += [
            Part(right, Surface((0.95, 0.94, 0.9), 0.9, picture=picture)),
            Part(block.moved(x=side * (width / 2 + 0.002), z=0.0015), paper_edge),
        ]
    if rng.random() < 0.35:
        parts.append(Part(_spiral(length, height, 0.0), Surface((0.6, 0.6, 0.62), 0.3, 1)))
    return Thing("open notebook", "notebook", tuple(parts), (2 * width + 0.008, length), height)


def notebook(rng: Rng) -> Thing:
    """Return a notebook or book, closed or open."""
    return closed(rng) if rng.random() < 0.62 else opened(rng)
