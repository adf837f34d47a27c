"""Draws a random desk scene from a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from models.scenes import computers, handheld, lookalikes, paperware, vessels
from models.scenes.camera import Camera
from models.scenes.layout import Layout
from models.scenes.scene import Light, Scene
from models.scenes.surroundings import draw_room
from models.scenes.thing import Color, Thing

Rng = np.random.Generator
_WARM: Final[Color] = (1.0, 0.72, 0.45)
_NEUTRAL: Final[Color] = (1.0, 0.95, 0.88)
_COLD: Final[Color] = (0.78, 0.88, 1.0)

# Small, weak classes come more often than the large ones that the starting weights know.
_WEIGHTS: Final[tuple[tuple[Callable[[Rng], Thing], float], ...]] = (
    (handheld.phone, 0.2),
    (paperware.paper, 0.2),
    (paperware.notebook, 0.17),
    (handheld.pen, 0.23),
    (vessels.cup, 0.12),
    (vessels.bottle, 0.08),
)


def _flat_paper(rng: Rng) -> Thing:
    return paperware.paper(rng, flat=True)


def _workplace(rng: Rng, layout: Layout) -> None:
    """Put the computers where people have them; the worker sits at -y."""
    width, depth = layout.size
    kind = rng.random()
    mid = float(rng.uniform(-0.15, 0.15)) * width

    def turn() -> float:
        return float(rng.normal(0, 5))

    if rng.random() < 0.15:
        mat = lookalikes.mouse_pad(rng)
        layout.put(mat, mid, -depth * 0.12, turn())
    if kind < 0.35:
        layout.put(computers.monitor(rng), mid, depth / 2 - 0.12, turn())
    elif kind < 0.6:
        layout.put(computers.laptop(rng), mid, float(rng.uniform(-0.08, 0.1)), turn() * 2)
    elif kind < 0.75:
        side = float(rng.choice([-1, 1]))
        layout.put(computers.laptop(rng), side * width * 0.28, 0.02, turn() * 2 + side * -15)
    if rng.random() < 0.55:
        layout.put(computers.keyboard(rng), mid, float(rng.uniform(-0.25, 0.0)), turn())
    if rng.random() < 0.55:
        x = mid + float(rng.choice([-1, 1, 1])) * float(rng.uniform(0.2, 0.36))
        layout.put(computers.mouse(rng), x, float(rng.uniform(-0.25, 0.05)), turn() * 2)


def _clutter(rng: Rng, layout: Layout) -> None:
    """Scatter papers and books first, then what may lie on them."""

    def turn() -> float:
        if rng.random() < 0.5:
            return float(rng.normal(0, 14) + 90 * rng.integers(4))
        return float(rng.uniform(0, 360))

    spread = float(rng.choice([1.0, 0.85, 0.65]))
    for _ in range(int(rng.choice([0, 0, 1, 2, 3]))):
        layout.scatter(rng, _flat_paper(rng), turn, spread=spread)
    makers = [maker for maker, _ in _WEIGHTS]
    weights = np.array([weight for _, weight in _WEIGHTS])
    for _ in range(int(rng.integers(2, 8))):
        maker = makers[int(rng.choice(len(makers), p=weights / weights.sum()))]
        layout.scatter(rng, maker(rng), turn, spread=spread)
    for _ in range(int(rng.choice([0, 1, 1, 2, 3, 4]))):
        maker = lookalikes.ALL[int(rng.integers(len(lookalikes.ALL)))]
        layout.scatter(rng, maker(rng), turn)


def draw_camera(rng: Rng, size: tuple[float, float]) -> Camera:
    """Return a camera on a monitor's edge, on a shelf, before the desk, or overhead."""
    kind = str(rng.choice(["edge", "front", "shelf", "overhead"], p=[0.36, 0.22, 0.22, 0.2]))
    width, depth = size
    x = float(rng.normal(0, 0.2)) * width
    aim = (float(rng.normal(0, 0.12)) * width, float(rng.normal(-0.02, 0.1)) * depth, 0.0)
    if kind == "edge":
        eye = (x, depth / 2 + float(rng.uniform(-0.05, 0.15)), float(rng.uniform(0.4, 0.8)))
        fov = float(rng.uniform(58, 90))
    elif kind == "front":
        eye = (x, -depth / 2 - float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.4, 0.8)))
        fov = float(rng.uniform(42, 75))
    elif kind == "shelf":
        angle = float(rng.uniform(0, 2 * np.pi))
        eye = (
            float(0.9 * np.cos(angle)),
            float(0.75 * np.sin(angle)),
            float(rng.uniform(0.6, 1.5)),
        )
        fov = float(rng.uniform(38, 65))
    else:
        eye = (
            aim[0] + float(rng.normal(0, 0.08)),
            aim[1] - float(rng.uniform(0.0, 0.2)),
            float(rng.uniform(0.6, 1.4)),
        )
        fov = float(rng.uniform(40, 70))
    return Camera(eye, aim, fov, float(rng.normal(0, 2.5)))


def draw_lights(rng: Rng) -> tuple[tuple[Light, ...], tuple[Color, float], float]:
    """Return lights, ambient light, and how bright the picture shall be."""
    kind = str(
        rng.choice(["window", "ceiling", "lamp", "mixed", "dim"], p=[0.3, 0.26, 0.16, 0.2, 0.08])
    )
    angle = float(rng.uniform(0, 2 * np.pi))
    lights = []
    if kind in {"window", "mixed", "dim"}:
        far = float(rng.uniform(1.2, 2.2))
        eye = (far * float(np.cos(angle)), far * float(np.sin(angle)), float(rng.uniform(0.6, 1.4)))
        lights.append(
            Light(
                eye,
                (0, 0, 0),
                float(rng.uniform(0.7, 1.6)),
                60.0,
                _COLD if rng.random() < 0.6 else _NEUTRAL,
            )
        )
    if kind in {"ceiling", "mixed"}:
        eye = (float(rng.normal(0, 0.6)), float(rng.normal(0, 0.6)), float(rng.uniform(1.5, 2.0)))
        lights.append(
            Light(
                eye,
                (eye[0], eye[1], 0),
                float(rng.uniform(0.15, 1.0)),
                60.0,
                _NEUTRAL if rng.random() < 0.6 else _WARM,
            )
        )
    if kind == "lamp":
        eye = (
            float(rng.uniform(-0.6, 0.6)),
            float(rng.uniform(-0.1, 0.4)),
            float(rng.uniform(0.4, 0.7)),
        )
        lights.append(Light(eye, (eye[0] * 0.5, 0, 0), float(rng.uniform(0.05, 0.15)), 9.0, _WARM))
    ambient = float(rng.uniform(0.25, 1.4)) * (0.5 if kind == "lamp" else 1.0)
    tint = _COLD if rng.random() < 0.5 else _NEUTRAL
    level = float(np.exp(rng.normal(0.0, 0.28)))
    if kind == "dim":
        level *= float(rng.uniform(0.25, 0.5))
    return tuple(lights), (tint, ambient), level


def draw_scene(seed: int, index: int) -> Scene:
    """Return scene number `index` of a seed: always the same one."""
    rng = np.random.default_rng([seed, index])
    size = (float(rng.uniform(1.0, 1.7)), float(rng.uniform(0.6, 0.85)))
    layout = Layout(size)
    if rng.random() < 0.8:
        _workplace(rng, layout)
    _clutter(rng, layout)
    camera = draw_camera(rng, size)
    lights, ambient, level = draw_lights(rng)
    room = draw_room(rng, size, camera)
    return Scene(
        room,
        lights,
        ambient,
        camera,
        tuple(layout.placed),
        level,
        contrast=bool(rng.random() < 0.4),
    )
