"""A whole scene as plain values: desk, room, lights, camera and what lies there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from models.scenes.camera import Camera
from models.scenes.thing import Color, Placed, Surface

FLOOR_Z: Final = -0.73
MID_GREY: Final = 0.42


@dataclass(frozen=True)
class Light:
    """A square area light.

    Attributes:
        eye, target: metres: where it hangs, and where it shines.
        size: its side in metres.
        power: watts, as Blender counts them.
        color: linear RGB.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    size: float
    power: float
    color: Color

    def irradiance(self, point: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> float:
        """Return the light that falls on a level surface at a point, unshadowed."""
        way = np.subtract(self.eye, point).astype(np.float64)
        axis = np.subtract(self.eye, self.target).astype(np.float64)
        distance = float(np.linalg.norm(way))
        facing = float(way @ axis) / (distance * float(np.linalg.norm(axis)))
        return (
            self.power / np.pi / distance**2 * max(0.0, float(way[2]) / distance) * max(0.0, facing)
        )


@dataclass(frozen=True)
class Room:
    """What stands around the desk.

    Attributes:
        size: the desk's top: width and depth in metres.
        desk, wall, floor: how they look.
        walls: distance in metres from the desk's centre of the walls at +x, -x, +y and -y.
        furniture: unlabelled things, standing on the floor or hanging at their own z.
    """

    size: tuple[float, float]
    desk: Surface
    wall: Surface
    floor: Surface
    walls: tuple[float, float, float, float]
    furniture: tuple[Placed, ...] = ()


@dataclass(frozen=True)
class Scene:
    """All that a picture is made of. `level`: how bright the desk shall be, 1 is well exposed."""

    room: Room
    lights: tuple[Light, ...]
    ambient: tuple[Color, float]
    camera: Camera
    things: tuple[Placed, ...]
    level: float = 1.0
    contrast: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    def gain(self) -> float:
        """Return the exposure (a factor) that shows a mid-grey desk at `level`."""
        strength = self.ambient[1] * np.pi * 0.6
        total = strength + sum(light.irradiance() for light in self.lights)
        return self.level * np.pi * MID_GREY / 0.4 / max(total, 1e-3)
