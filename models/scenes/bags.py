"""Bags: backpacks, handbags, totes and briefcases."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.scenes.geometry import Array, Mesh, joined, lathe, sheet, slab, tube
from models.scenes.textures import cloth
from models.scenes.thing import BRIGHTS, DARKS, LEATHERS, LIGHTS, Part, Surface, Thing, pick

Rng = np.random.Generator
_STEEL: Final = Surface((0.75, 0.72, 0.66), 0.25, 1.0)


def _upright(width: float, height: float, depth: float, radius: float) -> Mesh:
    """Return a soft standing body about the origin, its base on z = 0."""
    body = slab(width, height, depth, radius, depth * 0.3).turned("x", 90)
    return body.moved(0, depth / 2, height / 2)


def _loop(span: float, rise: float, y: float, z: float, thick: float) -> Mesh:
    """Return a handle: an arch from -span/2 to span/2, standing on height z."""
    t = np.linspace(0, np.pi, 22)
    path = np.column_stack(
        [span / 2 * np.cos(t), np.full(22, y) - 0.02 * np.sin(t), z + rise * np.sin(t) ** 0.8]
    )
    return tube(path, thick, 8)


def _fabric(rng: Rng) -> Surface:
    if rng.random() < 0.2:
        return Surface(roughness=0.9, picture=cloth(rng), scale=2)
    return Surface(pick(rng, DARKS, DARKS, BRIGHTS, LIGHTS), 0.85)


def _zip(width: float, y: float, z: float) -> Mesh:
    return slab(width, 0.004, 0.003, 0.001).turned("x", 90).moved(0, y, z)


def backpack(rng: Rng) -> Thing:
    """Return a backpack on its base, its pocket toward -y."""
    width, height = float(rng.uniform(0.27, 0.34)), float(rng.uniform(0.38, 0.48))
    depth = float(rng.uniform(0.13, 0.19))
    look, second = _fabric(rng), Surface(pick(rng, DARKS, BRIGHTS, LEATHERS), 0.8)
    body = _upright(width, height, depth, width * 0.32)
    low = float(rng.uniform(0.4, 0.58))
    pocket = _upright(width * 0.78, height * low, 0.07, 0.06).moved(0, -depth / 2 - 0.012, 0.01)
    straps = []
    for side in (-1, 1):
        t = np.linspace(0, 1, 20)
        path = np.column_stack(
            [
                side * width * (0.2 + 0.16 * np.sin(t * 3)),
                depth / 2 + 0.07 * np.sin(t * np.pi),
                height * (0.92 - 0.82 * t),
            ]
        )
        straps.append(tube(path, 0.016, 8))
    trims = [
        _zip(width * 0.6, -depth / 2 - 0.05, height * low * 0.82),
        _zip(width * 0.7, -depth / 2 + 0.003, height * 0.8),
        _loop(0.09, 0.045, depth / 4, height - 0.008, 0.008),
    ]
    parts = (
        Part(body, look),
        Part(pocket, look if rng.random() < 0.5 else second),
        Part(joined([*straps, *trims]), Surface(pick(rng, DARKS), 0.9)),
    )
    return Thing("backpack", "bag", parts, (width, depth + 0.16))


def tote(rng: Rng) -> Thing:
    """Return a cloth or leather tote, slumped, with two handles."""
    width, height = float(rng.uniform(0.3, 0.42)), float(rng.uniform(0.26, 0.36))
    depth = float(rng.uniform(0.06, 0.13))
    sag = float(rng.uniform(0.005, 0.03))

    def side(u: Array, v: Array) -> Array:
        bulge = depth / 2 * (0.35 + 0.65 * np.sin(np.clip(1 - v, 0, 1) * 2.0))
        return np.asarray(
            bulge * np.sin(np.clip(u, 0.02, 0.98) * np.pi) ** 0.4 + sag * np.sin(u * 9)
        )

    front = sheet(width, height, side, 20, 16).turned("x", 90).moved(z=height / 2)
    back = front.scaled(1, -1, 1)
    look = _fabric(rng) if rng.random() < 0.6 else Surface(pick(rng, LEATHERS), 0.5)
    if rng.random() < 0.3:
        look = Surface((0.86, 0.82, 0.72), 0.95)
    handles = [
        _loop(width * 0.4, float(rng.uniform(0.08, 0.2)), y, height * 0.97, 0.007)
        for y in (-depth * 0.3, depth * 0.3)
    ]
    parts = (
        Part(
            joined([front, Mesh(back.vertices, tuple(f[::-1] for f in back.faces), back.uv)]), look
        ),
        Part(joined(handles), look if rng.random() < 0.5 else Surface(pick(rng, LEATHERS), 0.6)),
    )
    return Thing("tote", "bag", parts, (width, depth + 0.04))


def handbag(rng: Rng) -> Thing:
    """Return a leather handbag with a flap or a zip, a clasp and a handle."""
    width, height = float(rng.uniform(0.2, 0.34)), float(rng.uniform(0.15, 0.25))
    depth = float(rng.uniform(0.07, 0.13))
    leather = Surface(pick(rng, LEATHERS, DARKS, BRIGHTS), float(rng.uniform(0.3, 0.6)))
    body = _upright(width, height, depth, 0.035)
    taper = 1 - float(rng.uniform(0.0, 0.25)) * body.vertices[:, 2:3] / height
    body = Mesh(body.vertices * np.hstack([taper, taper, np.ones_like(taper)]), body.faces, body.uv)
    handles = [
        _loop(width * 0.5, float(rng.uniform(0.06, 0.14)), y, height * 0.95, 0.006)
        for y in (-0.01, 0.02)
    ]
    parts = [Part(body, leather), Part(joined(handles), leather)]
    if rng.random() < 0.6:
        flap = slab(width * 0.94, height * 0.55, 0.006, 0.03, 0.002).turned("x", 90)
        parts.append(Part(flap.moved(0, -depth / 2 - 0.001, height * 0.7), leather))
        clasp = slab(0.03, 0.02, 0.004, 0.004).turned("x", 90)
        parts.append(Part(clasp.moved(0, -depth / 2 - 0.007, height * 0.47), _STEEL))
    else:
        rings = [
            lathe([(0.011, 0), (0.011, 0.003), (0, 0.003)], 18)
            .turned("x", 90)
            .moved(x, -depth / 2, height * 0.85)
            for x in (-width * 0.25, width * 0.25)
        ]
        parts.append(Part(joined(rings), _STEEL))
    return Thing("handbag", "bag", tuple(parts), (width, depth + 0.02))


def briefcase(rng: Rng) -> Thing:
    """Return a laptop bag or briefcase, standing or lying flat."""
    width, height, depth = float(rng.uniform(0.36, 0.42)), float(rng.uniform(0.27, 0.31)), 0.08
    look = Surface(pick(rng, DARKS, LEATHERS), 0.7)
    body = _upright(width, height, depth, 0.03)
    pocket = _upright(width * 0.86, height * 0.6, 0.03, 0.02).moved(0, -depth / 2, 0.015)
    trims = [
        _loop(0.14, 0.05, 0, height - 0.005, 0.008),
        _zip(width * 0.8, -depth / 2 - 0.018, height * 0.55),
        _zip(width * 0.9, -depth / 2 + 0.002, height * 0.9),
    ]
    meshes = [joined([body, pocket]), joined(trims)]
    size = (width, depth + 0.03)
    if rng.random() < 0.35:
        meshes = [m.turned("x", -90).moved(y=-height / 2, z=depth / 2) for m in meshes]
        size = (width, height + 0.06)
    parts = (Part(meshes[0], look), Part(meshes[1], Surface(pick(rng, DARKS, LEATHERS), 0.8)))
    return Thing("briefcase", "bag", parts, size)


def bag(rng: Rng) -> Thing:
    """Return any bag."""
    kinds = (backpack, backpack, tote, handbag, handbag, briefcase)
    return kinds[int(rng.integers(len(kinds)))](rng)
