"""Draws a random desk scene from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from models.scenes import computers, doubles, lookalikes, sticky, themes, viewpoints
from models.scenes.gestures import resting_hand
from models.scenes.layout import Layout
from models.scenes.lighting import draw_lights
from models.scenes.scene import Scene
from models.scenes.surroundings import draw_room
from models.scenes.thing import Placed

Rng = np.random.Generator


class Desks(StrEnum):
    """Which desks are drawn: any, or only those with what passes for a sheet or a phone."""

    EVERYDAY = "everyday"
    DOUBLES = "doubles"


@dataclass(frozen=True)
class _Theme:
    """A kind of desk: how often it comes, with computers, seen closely; what lies there."""

    share: float
    computers: float
    close: float
    lay: Callable[[Rng, Layout], list[Placed]]


_EVERYDAY: Final = (
    _Theme(0.28, 0.85, 0.12, themes.clutter),
    _Theme(0.29, 0.3, 0.68, themes.papers),
    _Theme(0.16, 0.35, 0.45, themes.library),
    _Theme(0.14, 0.25, 0.65, themes.gear),
    _Theme(0.06, 0.3, 0.3, themes.sparse),
    _Theme(0.07, 0.0, 0.0, themes.unlabelled),
)
_THEMES: Final = {
    Desks.EVERYDAY: _EVERYDAY,
    Desks.DOUBLES: (_Theme(1.0, 0.15, 0.45, doubles.doubles),),
}


def _screen(rng: Rng, layout: Layout, mid: float) -> None:
    """Put a monitor at the back, or a laptop before the worker or aside, or neither."""
    width, depth = layout.size
    kind = rng.random()
    if kind < 0.4:
        screen = layout.put(computers.monitor(rng), mid, depth / 2 - 0.12, float(rng.normal(0, 5)))
        if screen is not None and rng.random() < 0.3:
            layout.placed += [sticky.on_screen(rng, screen) for _ in range(int(rng.integers(1, 4)))]
    elif kind < 0.65:
        y = float(rng.uniform(-0.08, 0.1))
        layout.put(computers.laptop(rng), mid, y, float(rng.normal(0, 10)))
    elif kind < 0.8:
        side = float(rng.choice([-1, 1]))
        yaw = float(rng.normal(0, 10)) + side * -15
        layout.put(computers.laptop(rng), side * width * 0.28, 0.02, yaw)


def _workplace(rng: Rng, layout: Layout) -> None:
    """Put the computers where people have them; the worker sits at -y."""
    width, depth = layout.size
    mid = float(rng.uniform(-0.15, 0.15)) * width
    if rng.random() < 0.15:
        layout.put(lookalikes.mouse_pad(rng), mid, -depth * 0.12, float(rng.normal(0, 5)))
    _screen(rng, layout, mid)
    if rng.random() < 0.55:
        y = float(rng.uniform(-0.25, 0.0))
        layout.put(computers.keyboard(rng), mid, y, float(rng.normal(0, 5)))
    if rng.random() < 0.55:
        x = mid + float(rng.choice([-1, 1, 1])) * float(rng.uniform(0.2, 0.36))
        y = float(rng.uniform(-0.25, 0.05))
        layout.put(computers.mouse(rng), x, y, float(rng.normal(0, 10)))


def _clear_of(placed: Placed, eye: tuple[float, float, float], metres: float) -> bool:
    return bool(np.linalg.norm(placed.points() - np.array(eye), axis=1).min() > metres)


def draw_scene(seed: int, index: int, desks: Desks = Desks.EVERYDAY) -> Scene:
    """Return scene number `index` of a seed and a kind of desks: always the same one."""
    rng = np.random.default_rng([seed, index])
    size = (float(rng.uniform(1.0, 1.7)), float(rng.uniform(0.6, 0.85)))
    layout = Layout(size)
    kinds = _THEMES[desks]
    theme = kinds[int(rng.choice(len(kinds), p=[kind.share for kind in kinds]))]
    if rng.random() < theme.computers:
        _workplace(rng, layout)
    found = theme.lay(rng, layout)
    if found and rng.random() < theme.close:
        camera = viewpoints.close_up(rng, found)
    else:
        camera = viewpoints.whole_desk(rng, size)
    lights, ambient, level, frames = draw_lights(rng)
    room, around = draw_room(rng, size, camera, labelled=theme.lay is not themes.unlabelled)
    things = [placed for placed in layout.placed if _clear_of(placed, camera.eye, 0.06)]
    hand = resting_hand(rng, things) if rng.random() < 0.11 else None
    if hand is not None and _clear_of(hand, camera.eye, 0.15):
        things.append(hand)
    return Scene(
        replace(room, furniture=(*room.furniture, *frames)),
        lights,
        ambient,
        camera,
        (*things, *around),
        level,
        contrast=bool(rng.random() < 0.4),
    )
