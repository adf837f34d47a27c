"""Hands that rest on what lies on a desk."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.scenes.geometry import Mesh
from models.scenes.hand import hand
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Color, Part, Placed, Thing, pick

Rng = np.random.Generator
#: From very light to very dark; undertones vary with `pick`.
_SKINS: Final[tuple[Color, ...]] = (
    (0.93, 0.78, 0.7),
    (0.87, 0.68, 0.57),
    (0.78, 0.57, 0.44),
    (0.66, 0.46, 0.33),
    (0.52, 0.35, 0.25),
    (0.38, 0.25, 0.18),
    (0.26, 0.17, 0.13),
)
_REACH: Final = 0.078
_DROP: Final = 0.036
#: How far before a thing's middle the fingertips touch it, in metres.
_GRIPS: Final = {"phone": 0.02, "pen": 0.0, "paper": 0.07, "notebook": 0.06, "mouse": -0.01}


def _mirrored(thing: Thing) -> Thing:
    """Return a right hand's left counterpart."""
    parts = []
    for part in thing.parts:
        flipped = part.mesh.scaled(-1, 1, 1)
        mesh = Mesh(flipped.vertices, tuple(face[::-1] for face in flipped.faces), flipped.uv)
        parts.append(Part(mesh, part.surface, part.smooth, part.counts, part.melt))
    return Thing(thing.name, thing.label, tuple(parts), thing.footprint)


def resting_hand(rng: Rng, things: list[Placed]) -> Placed | None:
    """Return a hand on one of the things that hands hold; None if there is none of these."""
    held = [placed for placed in things if placed.thing.label in _GRIPS]
    if not held:
        return None
    target = held[int(rng.integers(len(held)))]
    skin = pick(rng, _SKINS)
    bare = rng.random() < 0.4
    arm = hand(skin if bare else pick(rng, DARKS, LIGHTS, BRIGHTS), skin)
    if rng.random() < 0.4:
        arm = _mirrored(arm)
    yaw = float(rng.normal(0, 22))
    back = _REACH + _GRIPS[target.thing.label] + float(rng.normal(0, 0.012))
    top = float(target.points()[:, 2].max()) if target.thing.label != "paper" else target.z + 0.002
    x = target.x + back * float(np.sin(np.radians(yaw))) + float(rng.normal(0, 0.01))
    y = target.y - back * float(np.cos(np.radians(yaw)))
    return Placed(arm, x, y, top + _DROP, yaw)
