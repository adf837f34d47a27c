"""Bookcases against the wall and what stands in them."""

from __future__ import annotations

import numpy as np

from models.scenes import books
from models.scenes.geometry import joined, slab
from models.scenes.scene import FLOOR_Z
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Part, Placed, Surface, Thing, pick

Rng = np.random.Generator
_ROW: float = 0.36


def _case(width: float, rows: int, look: Surface) -> Thing:
    boards = [slab(width, 0.28, 0.02, 0.002).moved(z=i * _ROW) for i in range(rows)]
    tall = (rows - 1) * _ROW + 0.02
    sides = [slab(0.02, 0.28, tall, 0.002).moved(x) for x in (-width / 2, width / 2)]
    back = slab(width, 0.01, tall, 0.002).moved(y=0.14)
    return Thing("bookcase", "", (Part(joined([*boards, *sides, back]), look),), (width, 0.28))


def _filler(rng: Rng, width: float) -> Thing:
    """Return a box or tin that stands among the books."""
    body = slab(width * 0.9, 0.18, float(rng.uniform(0.1, 0.25)), 0.006)
    look = Surface(pick(rng, BRIGHTS, LIGHTS, DARKS), 0.7)
    return Thing("box", "", (Part(body, look),), (width, 0.2))


def bookcase(
    rng: Rng, x: float, y: float, yaw: float, look: Surface
) -> tuple[Placed, list[Placed]]:
    """Return a bookcase on the floor, its front toward its own -y, and what stands in it."""
    width, rows = float(rng.uniform(0.6, 1.1)), int(rng.integers(4, 6))
    placed = Placed(_case(width, rows, look), x, y, FLOOR_Z, yaw)
    c, s = float(np.cos(np.radians(yaw))), float(np.sin(np.radians(yaw)))
    inside = []
    for row in range(1, rows):
        along = -width / 2 + 0.03
        while along < width / 2 - 0.1:
            if rng.random() < 0.15:
                thing = _filler(rng, float(rng.uniform(0.06, 0.14)))
            elif rng.random() < 0.1:
                along += float(rng.uniform(0.03, 0.12))
                continue
            else:
                thing = books.standing(rng)
            span = thing.footprint[0]
            if along + span > width / 2 - 0.02:
                break
            middle, depth = along + span / 2, 0.02
            at = (x + c * middle - s * depth, y + s * middle + c * depth)
            inside.append(Placed(thing, *at, FLOOR_Z + row * _ROW + 0.02 - _ROW, yaw))
            along += span + 0.001
    return placed, inside
