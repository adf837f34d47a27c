"""Random lights: windows, ceilings, lamps, and sun through a window's panes."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.scenes.geometry import joined, slab
from models.scenes.scene import Light
from models.scenes.thing import Color, Part, Placed, Surface, Thing

Rng = np.random.Generator
_WARM: Final[Color] = (1.0, 0.72, 0.45)
_NEUTRAL: Final[Color] = (1.0, 0.95, 0.88)
_COLD: Final[Color] = (0.78, 0.88, 1.0)
_KINDS: Final = ("window", "ceiling", "lamp", "mixed", "dim", "sun")


def _window(rng: Rng) -> Light:
    angle, far = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(1.2, 2.2))
    eye = (far * float(np.cos(angle)), far * float(np.sin(angle)), float(rng.uniform(0.6, 1.4)))
    color = _COLD if rng.random() < 0.6 else _NEUTRAL
    return Light(eye, (0, 0, 0), float(rng.uniform(0.4, 1.6)), 60.0, color)


def _ceiling(rng: Rng) -> Light:
    eye = (float(rng.normal(0, 0.6)), float(rng.normal(0, 0.6)), float(rng.uniform(1.5, 2.0)))
    color = _NEUTRAL if rng.random() < 0.6 else _WARM
    return Light(eye, (eye[0], eye[1], 0), float(rng.uniform(0.15, 1.0)), 60.0, color)


def _lamp(rng: Rng) -> Light:
    x, y = float(rng.uniform(-0.6, 0.6)), float(rng.uniform(-0.1, 0.4))
    eye = (x, y, float(rng.uniform(0.4, 0.7)))
    return Light(eye, (x * 0.5, 0, 0), float(rng.uniform(0.05, 0.15)), 9.0, _WARM)


def _sun(rng: Rng) -> tuple[Light, Placed]:
    """Return a small far light and the window frame whose panes it draws on the desk."""
    angle, far = float(rng.uniform(0, 2 * np.pi)), 5.0
    rise = float(rng.uniform(3.4, 6.0))
    aim = (float(rng.normal(0, 0.2)), float(rng.normal(0, 0.15)))
    way = np.array([far * np.cos(angle), far * np.sin(angle), rise])
    light = Light(
        (float(way[0]) + aim[0], float(way[1]) + aim[1], rise),
        (aim[0], aim[1], 0.0),
        float(rng.uniform(0.03, 0.12)),
        1300.0,
        (1.0, 0.93, 0.82),
    )
    share = 2.35 / rise
    spot = way * share
    pane = float(rng.uniform(0.1, 0.45)), float(rng.uniform(0.1, 0.4))
    bars = [
        slab(0.05, 4.0, 0.01).moved(x=-pane[0] / 2 - 0.025),
        slab(0.05, 4.0, 0.01).moved(x=pane[0] / 2 + 0.025),
        slab(4.0, 0.05, 0.01).moved(y=pane[1] / 2 + 0.025),
    ]
    shades = [
        slab(2.0, 4.0, 0.01).moved(x=side * (1.5 * pane[0] + 0.075 + 1.0)) for side in (-1, 1)
    ]
    shades += [
        slab(4.0, 2.0, 0.01).moved(y=side * (1.5 * pane[1] + 0.075 + 1.0)) for side in (-1, 1)
    ]
    grille = Thing(
        "window frame", "", (Part(joined(bars + shades), Surface((0.7, 0.7, 0.7), 0.9)),), (4, 4)
    )
    where = (float(spot[0]) + aim[0], float(spot[1]) + aim[1], float(spot[2]))
    return light, Placed(grille, *where, float(rng.uniform(0, 90)))


def draw_lights(
    rng: Rng,
) -> tuple[tuple[Light, ...], tuple[Color, float], float, tuple[Placed, ...]]:
    """Return lights, ambient light, how bright the picture shall be, and what casts shadows."""
    kind = str(rng.choice(_KINDS, p=[0.26, 0.23, 0.15, 0.18, 0.07, 0.11]))
    lights: list[Light] = []
    frames: tuple[Placed, ...] = ()
    if kind in {"window", "mixed", "dim"}:
        lights.append(_window(rng))
    if kind in {"ceiling", "mixed"}:
        lights.append(_ceiling(rng))
    if kind == "lamp":
        lights.append(_lamp(rng))
    ambient = float(rng.uniform(0.25, 1.4)) * (0.5 if kind == "lamp" else 1.0)
    if kind == "sun":
        light, frame = _sun(rng)
        lights.append(light)
        frames = (frame,)
        ambient = float(rng.uniform(1.0, 3.5))
    tint = _COLD if rng.random() < 0.5 else _NEUTRAL
    level = float(np.exp(rng.normal(0.3, 0.36)))
    if kind == "dim":
        level *= float(rng.uniform(0.25, 0.5))
    return tuple(lights), (tint, ambient), level, frames
