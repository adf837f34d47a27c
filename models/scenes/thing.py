"""What a scene is made of: surfaces, parts and things, and the palette they share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from models.scenes.geometry import Array, Mesh

Color = tuple[float, float, float]
Picture = npt.NDArray[np.uint8]
Region = tuple[int, int, int, int]


@dataclass(frozen=True)
class Surface:
    """How a part looks.

    Attributes:
        color: sRGB, 0..1.
        roughness, metallic, transmission, coat: as in Blender's Principled BSDF.
        emission: strength of the light that it gives off in its own colour or picture.
        picture: sRGB (height, width, 3), laid over the mesh's uv, row 0 at v = 1.
        pattern: "wood", "speckle" or "marble" (drawn by the shader), or empty.
        second: the pattern's other colour.
        scale: size of the pattern; repeats of the picture along u and v.
    """

    color: Color = (0.8, 0.8, 0.8)
    roughness: float = 0.5
    metallic: float = 0.0
    transmission: float = 0.0
    coat: float = 0.0
    emission: float = 0.0
    picture: Picture | None = None
    pattern: str = ""
    second: Color = (0.5, 0.5, 0.5)
    scale: float = 1.0


@dataclass(frozen=True)
class Part:
    """One mesh with one surface.

    Attributes:
        smooth: whether its soft edges are shaded as curves.
        counts: whether it belongs to the thing's box (a mouse's cable does not).
        melt: grain in metres at which pieces that touch flow into one body, or 0.
    """

    mesh: Mesh
    surface: Surface
    smooth: bool = True
    counts: bool = True
    melt: float = 0.0


@dataclass(frozen=True)
class Thing:
    """An object about the origin, standing on z = 0, its front toward -y.

    Attributes:
        label: class name, or empty for what must not be labelled.
        footprint: width (x) and length (y) in metres of the ground that it covers.
        support: height in metres at which others may lie on it, or 0 if nothing may.
    """

    name: str
    label: str
    parts: tuple[Part, ...]
    footprint: tuple[float, float]
    support: float = 0.0


@dataclass(frozen=True)
class Placed:
    """A thing at a place: metres, and degrees about the z axis."""

    thing: Thing
    x: float
    y: float
    z: float = 0.0
    yaw: float = 0.0

    def at(self, x: float, y: float, z: float) -> Placed:
        """Return the same thing elsewhere."""
        return replace(self, x=x, y=y, z=z)

    def points(self) -> Array:
        """Return all its vertices in the scene's metres, shape (n, 3)."""
        return np.concatenate([self.mesh(part).vertices for part in self.thing.parts])

    def mesh(self, part: Part) -> Mesh:
        """Return a part's mesh in the scene's metres."""
        return part.mesh.turned("z", self.yaw).moved(self.x, self.y, self.z)


DARKS: Final[tuple[Color, ...]] = (
    (0.03, 0.03, 0.035),
    (0.08, 0.08, 0.09),
    (0.14, 0.15, 0.17),
    (0.1, 0.12, 0.2),
)
LIGHTS: Final[tuple[Color, ...]] = (
    (0.92, 0.92, 0.92),
    (0.85, 0.84, 0.8),
    (0.75, 0.76, 0.78),
    (0.95, 0.93, 0.88),
)
BRIGHTS: Final[tuple[Color, ...]] = (
    (0.75, 0.12, 0.12),
    (0.1, 0.25, 0.65),
    (0.1, 0.5, 0.3),
    (0.95, 0.75, 0.15),
    (0.9, 0.45, 0.1),
    (0.45, 0.2, 0.55),
    (0.9, 0.55, 0.65),
    (0.15, 0.6, 0.7),
)
LEATHERS: Final[tuple[Color, ...]] = (
    (0.35, 0.2, 0.1),
    (0.2, 0.12, 0.08),
    (0.06, 0.05, 0.05),
    (0.55, 0.35, 0.2),
)


def pick(rng: np.random.Generator, *palettes: tuple[Color, ...]) -> Color:
    """Return a colour of one of the palettes, slightly varied."""
    palette = palettes[int(rng.integers(len(palettes)))]
    base = np.array(palette[int(rng.integers(len(palette)))])
    varied = np.clip(base * rng.uniform(0.85, 1.15) + rng.normal(0, 0.02, 3), 0.01, 0.97)
    return (float(varied[0]), float(varied[1]), float(varied[2]))
