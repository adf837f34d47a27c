"""Where a random scene's camera hangs, stands or is held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from models.scenes.camera import Camera
from models.scenes.thing import Placed

Rng = np.random.Generator
#: Kinds of places and their shares: for a whole desk, and for a look at one thing.
WIDE: Final = (("edge", 0.28), ("front", 0.2), ("shelf", 0.2), ("overhead", 0.17), ("level", 0.15))


def _choose(rng: Rng, kinds: tuple[tuple[str, float], ...]) -> str:
    weights = np.array([weight for _, weight in kinds])
    return kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))][0]


def whole_desk(rng: Rng, size: tuple[float, float]) -> Camera:
    """Return a camera on a monitor's edge, before the desk, on a shelf, overhead, or level."""
    kind = _choose(rng, WIDE)
    width, depth = size
    x = float(rng.normal(0, 0.2)) * width
    aim = (float(rng.normal(0, 0.12)) * width, float(rng.normal(-0.02, 0.1)) * depth, 0.0)
    if kind == "edge":
        eye = (x, depth / 2 + float(rng.uniform(-0.05, 0.15)), float(rng.uniform(0.4, 0.8)))
        fov = float(rng.uniform(58, 90))
    elif kind == "front":
        eye = (x, -depth / 2 - float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.4, 0.8)))
        fov = float(rng.uniform(42, 75))
    elif kind == "level":
        eye = (x * 1.5, -depth / 2 - float(rng.uniform(0.1, 0.8)), float(rng.uniform(0.16, 0.45)))
        aim = (aim[0], aim[1] + 0.1, float(rng.uniform(0.0, 0.14)))
        fov = float(rng.uniform(38, 68))
    elif kind == "shelf":
        angle = float(rng.uniform(0, 2 * np.pi))
        height = float(rng.uniform(0.6, 1.5))
        eye = (float(0.9 * np.cos(angle)), float(0.75 * np.sin(angle)), height)
        fov = float(rng.uniform(38, 65))
    else:
        eye = (
            aim[0] + float(rng.normal(0, 0.08)),
            aim[1] - float(rng.uniform(0.0, 0.2)),
            float(rng.uniform(0.6, 1.5)),
        )
        fov = float(rng.uniform(40, 70))
    return Camera(eye, aim, fov, float(rng.normal(0, 2.5)))


def close_up(rng: Rng, things: Sequence[Placed]) -> Camera:
    """Return a camera held 0.3 to 0.9 m from one of the things."""
    target = things[int(rng.integers(len(things)))]
    points = target.points()
    low, high = points.min(axis=0), points.max(axis=0)
    reach = float(np.linalg.norm((high - low)[:2]))
    aim = (low + high) / 2 + np.append(rng.normal(0, 0.04 + reach * 0.12, 2), 0.0)
    rise = np.radians(float(rng.uniform(22, 89)))
    turn = np.radians(float(rng.normal(-90, 50)))
    fov = float(rng.uniform(42, 72))
    share = float(rng.uniform(0.28, 1.15))
    far = reach / share / 2 / np.tan(np.radians(fov) / 2)
    far = float(np.clip(far, 0.3, 0.95))
    way = np.array([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)])
    eye = aim + far * way
    return Camera(
        (float(eye[0]), float(eye[1]), max(0.12, float(eye[2]))),
        (float(aim[0]), float(aim[1]), float(aim[2])),
        fov,
        float(rng.normal(0, 6)),
    )
