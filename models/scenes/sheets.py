"""Sheets of paper: flat, curled, folded, in piles, on clipboards, and receipts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from models.scenes import documents
from models.scenes.geometry import Array, Mesh, joined, sheet, slab
from models.scenes.thing import BRIGHTS, DARKS, LEATHERS, Part, Picture, Surface, Thing, pick

Rng = np.random.Generator
Shape = Callable[[Array, Array], Array]
_FORMATS: Final = (
    (0.21, 0.297),
    (0.21, 0.297),
    (0.21, 0.297),
    (0.216, 0.279),
    (0.216, 0.279),
    (0.148, 0.21),
    (0.105, 0.148),
)
_FLAT: Final = 0.0008


def _surface(picture: Picture) -> Surface:
    return Surface((0.95, 0.95, 0.95), 0.85, picture=picture)


def _curled(rng: Rng, amount: float) -> Shape:
    """Return a sheet whose corners rise, the highest by `amount` metres."""
    direction = float(rng.uniform(0, 2 * np.pi))
    weights = rng.uniform(-1, 1, 4) * amount

    def height(u: Array, v: Array) -> Array:
        along = (u - 0.5) * np.cos(direction) + (v - 0.5) * np.sin(direction)
        lift = amount * 1.5 * along**2
        for weight, (cu, cv) in zip(weights, ((0, 0), (1, 0), (0, 1), (1, 1)), strict=True):
            near = np.clip(1 - np.hypot(u - cu, v - cv) / 0.45, 0, 1)
            lift = lift + weight * near**2
        return np.asarray(np.maximum(lift, 0))

    return height


def _rolled(rng: Rng, amount: float) -> Shape:
    """Return a sheet that was rolled up: its two ends stand off the desk."""
    across = rng.random() < 0.5

    def height(u: Array, v: Array) -> Array:
        w = u if across else v
        return np.asarray(amount * (2 * np.abs(w - 0.5)) ** 3)

    return height


def _creased(rng: Rng, amount: float) -> Shape:
    """Return a sheet that was folded in two or three and opened again."""
    folds = int(rng.integers(2, 4))

    def height(_u: Array, v: Array) -> Array:
        return np.asarray(amount * np.abs((v * folds + 1) % 2 - 1))

    return height


def _rumpled(rng: Rng, amount: float) -> Shape:
    """Return a sheet that was crumpled and smoothed again."""
    grid = rng.uniform(0, amount, (7, 9))

    def height(u: Array, v: Array) -> Array:
        x, y = u * 5.999, v * 7.999
        i, j = x.astype(int), y.astype(int)
        s, t = x - i, y - j
        low = grid[i, j] * (1 - s) + grid[i + 1, j] * s
        high = grid[i, j + 1] * (1 - s) + grid[i + 1, j + 1] * s
        return np.asarray(low * (1 - t) + high * t)

    return height


def _shape(rng: Rng) -> Shape:
    kind = rng.random()
    if kind < 0.6:
        return _curled(rng, float(rng.choice([0.001, 0.004, 0.01, 0.022])))
    if kind < 0.75:
        return _rolled(rng, float(rng.uniform(0.004, 0.03)))
    if kind < 0.9:
        return _creased(rng, float(rng.uniform(0.003, 0.016)))
    return _rumpled(rng, float(rng.uniform(0.003, 0.009)))


def _level(u: Array, _v: Array) -> Array:
    return np.zeros_like(u)


def single(rng: Rng, *, flat: bool = False) -> Thing:
    """Return one sheet, upright or across; on a `flat` one others may lie."""
    width, length = _FORMATS[int(rng.integers(len(_FORMATS)))]
    pixels = documents.A4 if width > 0.15 else (438, 620)
    picture = documents.document(rng, pixels)
    leaf = sheet(width, length, _level if flat else _shape(rng)).moved(z=0.0004)
    part = Part(leaf, _surface(picture))
    return Thing("paper", "paper", (part,), (width, length), _FLAT if flat else 0.0)


def dog_eared(rng: Rng) -> Thing:
    """Return a flat sheet with one corner folded over, its white back to the top."""
    width, length = _FORMATS[int(rng.integers(4))]
    size = float(rng.uniform(0.02, 0.06))
    w, h = width / 2, length / 2
    corners = [(-w, -h, 0.0), (w, -h, 0), (w, h - size, 0), (w - size, h, 0), (-w, h, 0)]
    points = np.array(corners) + np.array([0, 0, 0.0004])
    uv = points[:, :2] / np.array([width, length]) + 0.5
    front = Mesh(points, ((0, 1, 2, 3, 4),), uv)
    back = np.array(
        [(w, h - size, 0.0006), (w - size, h, 0.0006), (w - size, h - size, size * 0.25)]
    )
    flap = Mesh(back, ((0, 1, 2),), np.zeros((3, 2)))
    parts = (
        Part(front, _surface(documents.document(rng)), smooth=False),
        Part(flap, Surface((0.93, 0.93, 0.92), 0.85), smooth=False),
    )
    return Thing("dog-eared paper", "paper", parts, (width, length))


def pile(rng: Rng) -> Thing:
    """Return a pile of sheets, tidy or ragged, the topmost printed or written on."""
    width, length = _FORMATS[int(rng.integers(5))]
    leaves = int(rng.integers(2, 9))
    thick = float(rng.uniform(0.0008, 0.02)) / leaves
    ragged = float(rng.choice([0.001, 0.004, 0.01]))
    below = []
    for level in range(leaves):
        leaf = slab(width, length, thick, 0.0004, 0.0001).turned("z", float(rng.normal(0, 1)))
        x, y = (float(s) for s in rng.normal(0, ragged, 2))
        below.append(leaf.moved(x, y, level * thick))
    top = leaves * thick + 0.0003
    cover = sheet(width, length, _curled(rng, float(rng.choice([0.0005, 0.006]))))
    parts = [
        Part(joined(below), Surface((0.93, 0.93, 0.92), 0.85), smooth=False),
        Part(cover.moved(z=top), _surface(documents.document(rng))),
    ]
    if rng.random() < 0.25:
        staple = slab(0.012, 0.001, 0.0006, 0.0003).turned("z", 40)
        at = (-width / 2 + 0.015, length / 2 - 0.015, top + 0.0008)
        parts.append(Part(staple.moved(*at), Surface((0.7, 0.7, 0.72), 0.3, 1)))
    return Thing("pile of paper", "paper", tuple(parts), (width + 0.01, length + 0.01))


def folded(rng: Rng) -> Thing:
    """Return a letter in thirds or a leaflet, its leaves springing open."""
    thirds = rng.random() < 0.5
    width, length = (0.21, 0.099) if thirds else (0.148, 0.21)
    spring = float(rng.uniform(2, 22))
    picture = documents.document(rng, (620, 292) if thirds else (438, 620))
    lower = sheet(width, length, _level, 2, 2).moved(z=0.0004)
    upper = sheet(width, length, _level, 2, 2)
    if thirds:
        upper = upper.moved(y=length / 2).turned("x", spring).moved(y=-length / 2)
    else:
        upper = upper.moved(x=width / 2).turned("y", -spring).moved(x=-width / 2)
    parts = (
        Part(lower, Surface((0.95, 0.95, 0.95), 0.85, picture=documents.blank(rng, (100, 100)))),
        Part(upper.moved(z=0.0012), _surface(picture)),
    )
    return Thing("folded paper", "paper", parts, (width, length))


def receipt(rng: Rng) -> Thing:
    """Return a shop's receipt that keeps the curl of its roll."""
    width, length = float(rng.uniform(0.057, 0.08)), float(rng.uniform(0.12, 0.26))
    amount = float(rng.uniform(0.001, 0.02))

    def height(_u: Array, v: Array) -> Array:
        return np.asarray(amount * (2 * np.abs(v - 0.5)) ** 2)

    leaf = sheet(width, length, height, 4, 24).moved(z=0.0004)
    surface = _surface(documents.receipt(rng))
    return Thing("receipt", "paper", (Part(leaf, surface),), (width, length))


def clipboard(rng: Rng) -> Thing:
    """Return sheets held by a clipboard; the board is not part of the paper's box."""
    board = slab(0.23, 0.32, 0.003, 0.01)
    leaf = sheet(0.21, 0.285, _curled(rng, float(rng.choice([0.0005, 0.006])))).moved(0, -0.01)
    jaw = slab(0.1, 0.025, 0.01, 0.006, 0.003).moved(y=0.14, z=0.003)
    parts = (
        Part(board, Surface(pick(rng, LEATHERS, DARKS, BRIGHTS), 0.5), counts=False),
        Part(leaf.moved(z=0.0036), _surface(documents.document(rng))),
        Part(jaw, Surface((0.7, 0.7, 0.72), 0.25, 1.0), counts=False),
    )
    return Thing("clipboard", "paper", parts, (0.23, 0.32))


def paper(rng: Rng) -> Thing:
    """Return any kind of paper."""
    kinds = (single, single, single, single, dog_eared, pile, folded, receipt, clipboard)
    return kinds[int(rng.integers(len(kinds)))](rng)


def flat(rng: Rng) -> Thing:
    """Return a flat sheet that others may lie on."""
    return single(rng, flat=True)
