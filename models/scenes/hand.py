"""A hand with its sleeved arm, as it puts things on a desk."""

from __future__ import annotations

import numpy as np

from models.scenes.geometry import Mesh, joined, lathe, slab, tube
from models.scenes.thing import Color, Part, Surface, Thing


def _ball(radius: float) -> Mesh:
    angles = np.linspace(-np.pi / 2, np.pi / 2, 9)
    return lathe(
        [(max(1e-5, radius * float(np.cos(a))), radius * float(np.sin(a))) for a in angles], 16
    )


def _finger(
    root: tuple[float, float, float], lengths: tuple[float, float, float], bend: float, out: float
) -> list[Mesh]:
    """Return a finger's bones and joints: it sets out along +y and bends down at each joint."""
    spot = np.array(root)
    pieces = [_ball(0.0098).moved(*spot)]
    pitch = 12.0
    for bone, (length, radius) in enumerate(zip(lengths, (0.0098, 0.0088, 0.0078), strict=True)):
        down, side = np.radians(pitch), np.radians(out)
        way = np.array([np.sin(side) * np.cos(down), np.cos(side) * np.cos(down), -np.sin(down)])
        path = np.array([spot + way * length * t for t in np.linspace(0, 1, 4)])
        pieces += [tube(path, radius, 12), _ball(radius).moved(*path[-1])]
        spot = path[-1]
        pitch += bend * (1.0 if bone == 0 else 0.7)
    return pieces


def hand(sleeve: Color = (0.28, 0.36, 0.46), skin: Color = (0.84, 0.63, 0.52)) -> Thing:
    """Return a hand about to hold what lies below it: palm over the origin, fingers toward +y.

    The fingertips reach down to about z = -0.035; the arm goes back and up toward -y.
    """
    pieces = [slab(0.078, 0.088, 0.03, 0.03, 0.013).moved(z=-0.015)]
    for x, lengths, out in (
        (0.029, (0.036, 0.024, 0.019), 5.0),
        (0.0095, (0.041, 0.028, 0.02), 1.0),
        (-0.0105, (0.039, 0.026, 0.02), -3.0),
        (-0.029, (0.031, 0.02, 0.017), -9.0),
    ):
        pieces += _finger((x, 0.04, 0.0), lengths, 26.0, out)
    pieces += _finger((0.033, -0.018, -0.006), (0.036, 0.028, 0.02), 20.0, 32.0)
    wrist = lathe([(0, 0), (0.021, 0), (0.02, 0.05), (0.022, 0.12), (0, 0.12)], 24)
    pieces.append(wrist.scaled(1.35, 1, 1).turned("x", 81).moved(y=-0.015, z=-0.001))
    t = np.linspace(0, 1, 12)[:, None]
    arm = np.array([0.0, -0.095, 0.013]) + t * np.array([0.05, -0.6, 0.2])
    parts = (
        Part(joined(pieces), Surface(skin, 0.5), melt=0.0022, counts=False),
        Part(tube(arm, 0.041, 20), Surface(sleeve, 0.95), counts=False),
    )
    return Thing("hand", "", parts, (0.1, 0.2))
