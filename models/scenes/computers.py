"""Laptops, keyboards, mice and monitors."""

from __future__ import annotations

import numpy as np

from models.scenes import textures
from models.scenes.geometry import Mesh, dome, joined, lathe, slab, tube
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Color, Part, Surface, Thing, pick

Rng = np.random.Generator


def _keys(width: float, length: float, pitch: float, top: float) -> Mesh:
    """Return rows of key caps centred on a field of the given size, standing on z = `top`."""
    caps = []
    rows = max(4, int(length / pitch))
    columns = int(width / pitch)
    for row in range(rows):
        y = (row - (rows - 1) / 2) * pitch
        x = -columns * pitch / 2
        if row == 0:
            spans = [1, 1, 1.2, columns - 6.4, 1.2, 1, 1]
        else:
            first = 1 + 0.25 * (rows - row)
            whole = int(columns - first - 1)
            spans = [first] + [1.0] * whole
            spans.append(columns - sum(spans))
        for span in spans:
            size = span * pitch
            cap = slab(size - pitch * 0.14, pitch * 0.86, 0.003, 0.0015, 0.0008)
            caps.append(cap.moved(x + size / 2, y, top))
            x += size
    return joined(caps)


def _screen_look(rng: Rng, *, on: bool) -> Surface:
    if not on:
        return Surface((0.015, 0.015, 0.018), float(rng.uniform(0.08, 0.35)))
    return Surface(
        (0.02, 0.02, 0.02),
        0.3,
        emission=float(rng.uniform(0.5, 1.2)),
        picture=textures.desktop(rng),
    )


def laptop(rng: Rng, *, angle: float | None = None) -> Thing:
    """Return an open laptop; `angle` is that between deck and lid in degrees."""
    width = float(rng.uniform(0.29, 0.37))
    length, deck = width * float(rng.uniform(0.64, 0.72)), float(rng.uniform(0.012, 0.018))
    body = Surface(pick(rng, LIGHTS, DARKS), 0.35, float(rng.choice([0.0, 0.8])))
    keycap = Surface(pick(rng, DARKS) if rng.random() < 0.8 else pick(rng, LIGHTS), 0.6)
    field_y = length * 0.14
    pad = slab(width * 0.34, length * 0.33, 0.0003, 0.004, 0.0001)
    parts = [
        Part(slab(width, length, deck, 0.01, 0.002), body),
        Part(
            _keys(width * 0.88, length * 0.46, 0.019, 0.0)
            .scaled(1, 0.92, 0.35)
            .moved(y=field_y, z=deck - 0.0001),
            keycap,
        ),
        Part(pad.moved(y=-length * 0.3, z=deck), Surface(body.color, 0.25, body.metallic)),
    ]
    opening = angle if angle is not None else float(rng.uniform(95, 128))
    lid = slab(width, length, 0.005, 0.01, 0.001)
    face = slab(width - 0.004, length - 0.004, 0.0004, 0.008, 0.0001).moved(z=0.0051)
    glass = slab(width * 0.96, length * 0.9, 0.0003, 0.002, 0.0001).moved(y=0.003, z=0.0056)
    screen = _screen_look(rng, on=rng.random() < 0.65)
    bezel = Surface(pick(rng, DARKS), 0.5)
    for mesh, surface in ((lid, body), (face, bezel), (glass, screen)):
        hung = mesh.moved(y=length / 2).turned("x", 180 - opening)
        parts.append(Part(hung.moved(y=length / 2 - 0.004, z=deck - 0.002), surface))
    reach = length * (1 + 0.4 * max(0.0, -np.cos(np.radians(opening))))
    return Thing("laptop", "laptop", tuple(parts), (width, float(reach)))


def keyboard(rng: Rng) -> Thing:
    """Return a keyboard with or without a number block."""
    pad = rng.random() < 0.6
    width = float(rng.uniform(0.42, 0.45)) if pad else float(rng.uniform(0.28, 0.33))
    length, height = float(rng.uniform(0.115, 0.15)), float(rng.uniform(0.008, 0.02))
    base = pick(rng, DARKS, DARKS, LIGHTS)
    caps = base if rng.random() < 0.6 else pick(rng, DARKS, LIGHTS)
    deck = slab(width, length, height, 0.008, 0.0015).turned("x", 2.5).moved(z=length * 0.02)
    field = 0.9 * length
    meshes = [_keys(width * (0.68 if pad else 0.95), field, 0.019, 0)]
    if pad:
        meshes[0] = meshes[0].moved(x=-width * 0.14)
        block = [
            slab(0.0165, 0.0165, 0.003, 0.0015, 0.0008).moved(i * 0.019, j * 0.019)
            for i in range(4)
            for j in range(5)
        ]
        meshes.append(joined(block).moved(x=width * 0.5 - 0.076, y=-field / 2 + 0.01))
    tall = float(rng.choice([0.6, 1.6]))
    keys = joined(meshes).scaled(1, 0.92, tall).moved(z=height - 0.0002)
    keys = keys.turned("x", 2.5).moved(z=length * 0.02)
    parts = (Part(deck, Surface(base, 0.45)), Part(keys, Surface(caps, 0.55)))
    return Thing("keyboard", "keyboard", parts, (width, length))


def mouse(rng: Rng) -> Thing:
    """Return a mouse with wheel and seam, wireless or with a cable."""
    width, length = float(rng.uniform(0.055, 0.068)), float(rng.uniform(0.095, 0.125))
    height = float(rng.uniform(0.026, 0.04))
    color = pick(rng, DARKS, DARKS, LIGHTS, BRIGHTS)
    shell = dome(width, length, height, float(rng.uniform(1.9, 2.8)))
    top = height * 0.86
    wheel = lathe([(0, -0.003), (0.009, -0.003), (0.009, 0.003), (0, 0.003)], 18).turned("y", 90)
    dark = Surface((0.05, 0.05, 0.05), 0.6)
    seam = slab(0.0012, length * 0.36, 0.004, 0.0004)
    parts = [
        Part(shell, Surface(color, float(rng.uniform(0.2, 0.6)))),
        Part(wheel.moved(y=length * 0.26, z=top - 0.008), dark),
        Part(seam.moved(y=length * 0.22, z=top - 0.004), dark),
    ]
    if rng.random() < 0.35:
        y = np.linspace(length * 0.46, length * 0.46 + 0.25, 16)
        bend = float(rng.uniform(-0.12, 0.12))
        x = bend * ((y - y[0]) / 0.25) ** 2
        path = np.column_stack([x, y, np.full(16, 0.004)])
        parts.append(Part(tube(path, 0.0018, 6), dark, counts=False))
    return Thing("mouse", "mouse", tuple(parts), (width, length))


def monitor(rng: Rng, *, on: bool | None = None) -> Thing:
    """Return a monitor on a stand, its screen toward -y."""
    width = float(rng.uniform(0.48, 0.72))
    height = width * float(rng.uniform(0.55, 0.64))
    foot = float(rng.uniform(0.07, 0.14))
    shell: Color = pick(rng, DARKS, DARKS, LIGHTS)
    plastic = Surface(shell, 0.5)
    on = rng.random() < 0.6 if on is None else on
    rim = float(rng.uniform(0.004, 0.014))
    panel = slab(width, height, 0.03, 0.006, 0.004)
    glass = slab(width - 2 * rim, height - 2 * rim, 0.0006, 0.002, 0.0002).moved(z=0.03)
    lean = 90 - float(rng.uniform(0, 8))
    middle = foot + height / 2
    parts = [
        Part(panel.turned("x", lean).moved(z=middle), plastic),
        Part(glass.turned("x", lean).moved(z=middle), _screen_look(rng, on=on)),
        Part(slab(0.06, 0.02, middle, 0.004).moved(y=0.03), plastic),
    ]
    if rng.random() < 0.5:
        base = slab(width * 0.42, 0.19, 0.012, 0.01, 0.002).moved(y=0.01)
    else:
        base = lathe([(0.11, 0), (0.11, 0.008), (0.1, 0.012), (0, 0.012)], 40).moved(y=0.01)
    parts.append(Part(base, plastic))
    return Thing("monitor", "monitor", tuple(parts), (width, 0.2))
