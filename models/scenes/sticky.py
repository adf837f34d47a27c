"""Sticky notes: single ones, pads, and those stuck upright on a screen's rim."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.scenes.documents import pen_ink
from models.scenes.geometry import Array, Mesh, sheet, slab
from models.scenes.textures import canvas
from models.scenes.thing import Color, Part, Picture, Placed, Surface, Thing, pick
from models.scenes.wording import handwriting

Rng = np.random.Generator
_PAPERS: Final[tuple[Color, ...]] = (
    (0.98, 0.92, 0.42),
    (0.98, 0.92, 0.42),
    (0.99, 0.95, 0.62),
    (0.98, 0.5, 0.68),
    (0.99, 0.65, 0.3),
    (0.6, 0.9, 0.5),
    (0.5, 0.8, 0.96),
    (0.78, 0.65, 0.92),
)


def _written(rng: Rng, paper: Color) -> Picture:
    picture = canvas(180, 180, paper)
    if rng.random() < 0.75:
        bottom = int(rng.integers(70, 176))
        handwriting(picture, rng, (10, 4, 172, bottom), pen_ink(rng), float(rng.uniform(0.6, 1.2)))
    return picture


def _leaf(rng: Rng, width: float, length: float) -> Mesh:
    """Return a note that sticks along its far edge; the near one curls up."""
    lift = float(rng.choice([0.001, 0.006, 0.014, 0.025])) * length / 0.076
    skew = float(rng.uniform(-0.5, 0.5))

    def height(u: Array, v: Array) -> Array:
        loose = np.clip(1 - v, 0, 1) ** 2.2
        return np.asarray(lift * loose * np.clip(1 + skew * (u - 0.5) * 2, 0, 2))

    return sheet(width, length, height, 8, 14)


def _size(rng: Rng) -> tuple[float, float]:
    kind = rng.random()
    if kind < 0.7:
        return 0.076, 0.076
    return (0.051, 0.038) if kind < 0.8 else (0.127, 0.076) if kind < 0.9 else (0.05, 0.05)


def note(rng: Rng) -> Thing:
    """Return one sticky note lying on its glue."""
    size = _size(rng)
    surface = Surface(roughness=0.85, picture=_written(rng, pick(rng, _PAPERS)))
    part = Part(_leaf(rng, *size).moved(z=0.0005), surface)
    return Thing("sticky note", "sticky_note", (part,), size)


def pad(rng: Rng) -> Thing:
    """Return a pad of sticky notes, thick or nearly used up."""
    size, height = _size(rng), float(rng.uniform(0.002, 0.022))
    paper = pick(rng, _PAPERS)
    block = slab(*size, height, 0.0006, 0.0002)
    top = Surface(roughness=0.85, picture=_written(rng, paper))
    parts = (
        Part(block, Surface(paper, 0.85), smooth=False),
        Part(_leaf(rng, *size).scaled(1, 1, 0.3).moved(z=height + 0.0004), top),
    )
    return Thing("sticky pad", "sticky_note", parts, size)


def sticky(rng: Rng) -> Thing:
    """Return a note or a pad."""
    return note(rng) if rng.random() < 0.62 else pad(rng)


def on_screen(rng: Rng, screen: Placed) -> Placed:
    """Return a note stuck on a placed monitor's front, near the rim of its glass (part 1)."""
    glass = screen.thing.parts[1].mesh.vertices
    top, bottom = glass[glass[:, 2].argmax()], glass[glass[:, 2].argmin()]
    up = np.array([0.0, top[1] - bottom[1], top[2] - bottom[2]])
    tall, wide = float(np.linalg.norm(up)), float(np.ptp(glass[:, 0]))
    up /= tall
    out = np.cross([1.0, 0.0, 0.0], up)
    side = float(rng.choice([-1, 1]))
    across = side * float(rng.uniform(0.2, 0.48)) * wide
    along = float(rng.choice([-0.47, 0.3, 0.44])) * tall
    leaf = _leaf(rng, 0.076, 0.076).turned("z", float(rng.normal(0, 5)))
    x, y, z = leaf.vertices.T
    spots = (
        glass.mean(axis=0)
        + np.outer(x + across, [1.0, 0.0, 0.0])
        + np.outer(y + along, up)
        + np.outer(z + 0.0012, out)
    )
    surface = Surface(roughness=0.85, picture=_written(rng, pick(rng, _PAPERS)))
    part = Part(Mesh(spots, leaf.faces, leaf.uv), surface)
    thing = Thing("stuck note", "sticky_note", (part,), (0.076, 0.01))
    return Placed(thing, screen.x, screen.y, screen.z, screen.yaw)
