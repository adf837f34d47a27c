"""Cameras and headphones."""

from __future__ import annotations

import numpy as np

from models.scenes.geometry import Mesh, joined, lathe, slab, tube
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Part, Surface, Thing, pick

Rng = np.random.Generator
_GLASS = Surface((0.03, 0.03, 0.06), 0.03, coat=1)
_STEEL = Surface((0.72, 0.72, 0.74), 0.25, 1.0)
_DARK = Surface((0.06, 0.06, 0.065), 0.6)


def _facing(mesh: Mesh, x: float, y: float, z: float) -> Mesh:
    """Turn a lathe so that its axis points to -y, its foot at (x, y, z)."""
    return mesh.turned("x", 90).moved(x, y, z)


def _box(width: float, depth: float, height: float, radius: float) -> Mesh:
    """Return a standing body whose vertical section is rounded, its base on z = 0."""
    return slab(width, height, depth, radius, 0.003).turned("x", 90).moved(0, depth / 2, height / 2)


def _barrel(radius: float, length: float) -> Mesh:
    profile = [
        (0.0, 0.0),
        (radius * 1.05, 0.0),
        (radius * 1.05, length * 0.2),
        (radius, length * 0.22),
        (radius, length * 0.7),
        (radius * 1.06, length * 0.72),
        (radius * 1.06, length),
        (radius * 0.86, length),
        (radius * 0.8, length * 0.9),
    ]
    return lathe(profile, 36)


def _compact(rng: Rng) -> list[Part]:
    width, height, depth = float(rng.uniform(0.09, 0.12)), float(rng.uniform(0.055, 0.07)), 0.026
    look = Surface(pick(rng, DARKS, LIGHTS, BRIGHTS), 0.35, float(rng.choice([0, 0.8])))
    r, x = float(rng.uniform(0.02, 0.027)), width * float(rng.uniform(0.0, 0.15))
    reach = float(rng.uniform(0.008, 0.035))
    lens = _facing(
        lathe([(r, 0), (r, reach), (r * 0.75, reach), (r * 0.7, reach - 0.003)], 32),
        x,
        -depth / 2,
        height * 0.48,
    )
    glass = _facing(
        lathe([(r * 0.72, 0), (r * 0.4, 0.003), (0, 0.004)], 24),
        x,
        -depth / 2 - reach + 0.005,
        height * 0.48,
    )
    flash = (
        slab(0.016, 0.009, 0.001, 0.002)
        .turned("x", 90)
        .moved(-width * 0.3, -depth / 2, height * 0.78)
    )
    button = lathe([(0.006, 0), (0.006, 0.003), (0, 0.003)], 20).moved(-width * 0.32, 0, height)
    grip = (
        slab(0.014, height * 0.7, 0.006, 0.005)
        .turned("x", 90)
        .moved(-width * 0.42, -depth / 2, height * 0.45)
    )
    return [
        Part(_box(width, depth, height, 0.01), look),
        Part(lens, Surface(pick(rng, DARKS, LIGHTS), 0.3, 0.6)),
        Part(glass, _GLASS),
        Part(flash, Surface((0.9, 0.9, 0.92), 0.1)),
        Part(button, _STEEL),
        Part(grip, _DARK),
    ]


def _reflex(rng: Rng) -> list[Part]:
    width, height, depth = float(rng.uniform(0.12, 0.145)), float(rng.uniform(0.075, 0.095)), 0.045
    body = Surface(pick(rng, DARKS) if rng.random() < 0.85 else pick(rng, LIGHTS), 0.6)
    r, reach = float(rng.uniform(0.029, 0.038)), float(rng.uniform(0.03, 0.13))
    level = height * 0.46
    hump = slab(0.05, 0.036, 0.045, 0.012, 0.006).turned("x", 90).moved(0, 0.02, height + 0.008)
    grip = slab(0.03, height * 0.95, 0.03, 0.012, 0.006).turned("x", 90)
    grip = grip.moved(-width * 0.4, -depth / 2 + 0.006, height * 0.48)
    dials = [
        lathe([(0.011, 0), (0.011, 0.008), (0, 0.008)], 24).moved(x * width, 0, height - 0.001)
        for x in (-0.38, 0.36)
    ]
    screen = slab(width * 0.55, height * 0.6, 0.002, 0.003).turned("x", -90)
    parts = [
        Part(joined([_box(width, depth, height, 0.014), hump, grip]), body),
        Part(joined(dials), _DARK),
        Part(_facing(_barrel(r, reach), 0, -depth / 2, level), Surface((0.05, 0.05, 0.055), 0.5)),
        Part(
            _facing(
                lathe([(r * 0.82, 0), (r * 0.5, 0.005), (0, 0.007)], 28),
                0,
                -depth / 2 - reach * 0.9 + 0.004,
                level,
            ),
            _GLASS,
        ),
        Part(screen.moved(-0.01, depth / 2, height * 0.46), Surface((0.02, 0.02, 0.02), 0.1)),
    ]
    if rng.random() < 0.4:
        ring = lathe([(r * 1.08, 0), (r * 1.08, 0.002), (r, 0.002)], 32)
        parts.append(
            Part(
                _facing(ring, 0, -depth / 2 - reach * 0.8, level), Surface(pick(rng, BRIGHTS), 0.4)
            )
        )
    if rng.random() < 0.6:
        t = np.linspace(0, 1, 30)
        side = float(rng.choice([-1, 1]))
        path = np.column_stack(
            [
                width * (0.5 - t) + side * 0.1 * np.sin(t * np.pi),
                0.02 + 0.12 * np.sin(t * np.pi),
                np.clip(height * 0.85 * (1 - 6 * t * (1 - t)), 0.004, None),
            ]
        )
        parts.append(Part(tube(path, 0.005, 6), _DARK, counts=False))
    return parts


def _action(rng: Rng) -> list[Part]:
    """Return an action camera or a webcam on its foot."""
    if rng.random() < 0.5:
        look = Surface(pick(rng, DARKS, LIGHTS), 0.6)
        ring = _facing(lathe([(0.013, 0), (0.013, 0.004), (0.009, 0.004)], 24), 0.013, -0.011, 0.03)
        glass = _facing(lathe([(0.01, 0), (0.006, 0.002), (0, 0.003)], 20), 0.013, -0.014, 0.03)
        panel = slab(0.022, 0.018, 0.001, 0.001).turned("x", 90).moved(-0.016, -0.011, 0.028)
        return [
            Part(_box(0.062, 0.022, 0.044, 0.006), look),
            Part(ring, _DARK),
            Part(glass, _GLASS),
            Part(panel, Surface((0.02, 0.02, 0.02), 0.1)),
        ]
    look = Surface(pick(rng, DARKS, DARKS, LIGHTS), 0.5)
    head = _box(0.09, 0.03, 0.03, 0.014).moved(z=0.035)
    glass = _facing(lathe([(0.011, 0), (0.009, 0.003), (0, 0.004)], 24), 0, -0.015, 0.05)
    foot = slab(0.05, 0.045, 0.008, 0.008)
    post = slab(0.02, 0.012, 0.04, 0.003)
    return [Part(joined([head, foot, post]), look), Part(glass, _GLASS)]


def camera(rng: Rng) -> Thing:
    """Return a camera on the desk: a compact, a reflex with its lens, an action cam or webcam."""
    kinds = (_compact, _compact, _reflex, _reflex, _reflex, _action)
    kind = kinds[int(rng.integers(len(kinds)))]
    parts = tuple(kind(rng))
    if rng.random() < 0.3 and kind is not _reflex:
        parts = tuple(Part(p.mesh.turned("x", -90), p.surface, p.smooth, p.counts) for p in parts)
        sunk = min(float(p.mesh.vertices[:, 2].min()) for p in parts)
        parts = tuple(
            Part(p.mesh.moved(y=-0.03, z=-sunk), p.surface, p.smooth, p.counts) for p in parts
        )
    points = np.concatenate([p.mesh.vertices for p in parts if p.counts])
    size = 2 * np.abs(points[:, :2]).max(axis=0)
    return Thing("camera", "camera", parts, (float(size[0]), float(size[1])))


def _cup(rng: Rng) -> tuple[Mesh, Mesh]:
    """Return an ear cup's shell and cushion about the z axis, the cushion on top."""
    r, oval = float(rng.uniform(0.033, 0.042)), float(rng.uniform(1.0, 1.25))
    shell = lathe([(0, 0), (r * 0.7, 0), (r * 0.95, 0.006), (r, 0.016), (r * 0.9, 0.02)], 32)
    angles = np.linspace(0, 2 * np.pi, 33)
    ring = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(33)]) * (r * 0.74)
    cushion = tube(ring + np.array([0, 0, 0.024]), r * 0.27, 10)
    return shell.scaled(1, oval, 1), cushion.scaled(1, oval, 1)


def headphones(rng: Rng) -> Thing:
    """Return over-ear headphones: lying with the band flat, or standing on their cups."""
    span, tall = float(rng.uniform(0.072, 0.085)), float(rng.uniform(0.14, 0.185))
    angles = np.linspace(0, np.pi, 32)
    arch = np.column_stack(
        [span * np.cos(angles), np.zeros(32), tall * np.sin(angles) ** 0.75 + 0.005]
    )
    thick = float(rng.uniform(0.005, 0.008))
    band = tube(arch, thick, 8).scaled(1, float(rng.uniform(1.2, 2.4)), 1)
    shell, cushion = _cup(rng)
    swivel = float(rng.choice([0, 0, 12, 75]))
    shells: list[Mesh] = []
    cushions: list[Mesh] = []
    for side in (-1.0, 1.0):
        for mesh, kept in ((shell, shells), (cushion, cushions)):
            turned = mesh.turned("z", 90).turned("y", -90 * side).turned("z", swivel * side)
            kept.append(turned.moved(x=side * (span + 0.012), z=-0.015))
    look = Surface(pick(rng, DARKS, DARKS, LIGHTS, BRIGHTS), float(rng.uniform(0.2, 0.6)))
    pads = Surface(pick(rng, DARKS) if rng.random() < 0.8 else pick(rng, LIGHTS), 0.85)
    top = arch[8:24] + np.array([0, 0, -0.007])
    parts = [
        Part(band, look if rng.random() < 0.6 else _STEEL),
        Part(joined(shells), look),
        Part(joined(cushions), pads),
        Part(tube(top, 0.008, 8).scaled(1, 1.8, 1), pads),
    ]
    if rng.random() < 0.72:
        parts = [Part(p.mesh.turned("x", 90), p.surface) for p in parts]
    if rng.random() < 0.3:
        t = np.linspace(0, 1, 24)
        x, y = span + 0.02 + 0.1 * t, -0.05 * np.sin(t * 5) - 0.1 * t
        wire = tube(np.column_stack([x, y, np.full(24, 0.0)]), 0.0018, 6)
        low = min(float(p.mesh.vertices[:, 2].min()) for p in parts)
        parts.append(Part(wire.moved(z=low + 0.002), pads, counts=False))
    points = np.concatenate([p.mesh.vertices for p in parts if p.counts])
    low, middle = points.min(axis=0), (points.min(axis=0) + points.max(axis=0)) / 2
    parts = [
        Part(p.mesh.moved(-middle[0], -middle[1], -low[2]), p.surface, p.smooth, p.counts)
        for p in parts
    ]
    size = np.ptp(points, axis=0)
    return Thing("headphones", "headphones", tuple(parts), (float(size[0]), float(size[1])))
