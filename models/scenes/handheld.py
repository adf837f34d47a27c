"""Things held in a hand: phones, pens, pencils and markers."""

from __future__ import annotations

import numpy as np

from models.scenes import textures
from models.scenes.geometry import joined, lathe, slab
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Color, Part, Surface, Thing, pick

Rng = np.random.Generator
_BLACK: Color = (0.02, 0.02, 0.025)


def _camera_bump(rng: Rng, width: float, length: float, top: float) -> list[Part]:
    size = width * float(rng.uniform(0.34, 0.48))
    x, y = -width / 2 + size / 2 + 0.004, length / 2 - size / 2 - 0.004
    body = slab(size, size, 0.0014, size * 0.25).moved(x, y, top)
    lenses = [
        lathe([(0, 0.001), (0.0055, 0.001), (0.0065, 0), (0.0065, -0.002)][::-1], 20).moved(
            x + dx * size, y + dy * size, top + 0.0022
        )
        for dx, dy in ((-0.22, 0.22), (-0.22, -0.22), (0.22, 0.0))[: int(rng.integers(1, 4))]
    ]
    return [
        Part(body, Surface(pick(rng, DARKS, LIGHTS), 0.25)),
        Part(joined(lenses), Surface(_BLACK, 0.08, coat=1)),
    ]


def phone(rng: Rng, *, screen: str = "") -> Thing:
    """Return a phone lying on its back or face; `screen` is "on", "off", "down" or any."""
    screen = screen or str(rng.choice(["on", "off", "down"], p=[0.4, 0.38, 0.22]))
    width, length = float(rng.uniform(0.067, 0.078)), float(rng.uniform(0.138, 0.165))
    height, corner = float(rng.uniform(0.007, 0.009)), float(rng.uniform(0.006, 0.012))
    body_color = pick(rng, DARKS, DARKS, LIGHTS, BRIGHTS)
    parts: list[Part] = []
    base = 0.0
    if rng.random() < 0.35:
        case = slab(width + 0.004, length + 0.004, height * 0.95, corner + 0.002, 0.001)
        parts.append(Part(case, Surface(pick(rng, BRIGHTS, DARKS, LIGHTS), 0.7)))
        base = 0.0012
    body = slab(width, length, height, corner, 0.0012).moved(z=base)
    metal = float(rng.choice([0.0, 0.9]))
    parts.append(Part(body, Surface(body_color, 0.3, metal)))
    top = base + height
    if screen == "down":
        if parts[0].surface.roughness == 0.7:
            back = slab(width + 0.004, length + 0.004, 0.001, corner + 0.002).moved(z=top - 0.0002)
            parts.append(Part(back, parts[0].surface))
            top += 0.0008
        parts += _camera_bump(rng, width, length, top)
    else:
        rim = float(rng.uniform(0.0012, 0.003))
        glass = slab(width - 2 * rim, length - 2 * rim, 0.0004, corner - rim, 0.0001)
        look = Surface(_BLACK, float(rng.uniform(0.04, 0.2)), coat=0.5)
        if screen == "on":
            look = Surface(
                _BLACK,
                0.15,
                emission=float(rng.uniform(0.4, 1.3)),
                picture=textures.phone_screen(rng),
            )
        parts.append(Part(glass.moved(z=top - 0.0001), look))
    return Thing(f"phone {screen}", "phone", tuple(parts), (width, length), top)


def _lying(parts: list[Part], radius: float) -> tuple[Part, ...]:
    """Lay parts built along z, tip at 0, down along y so that they rest on z = 0."""
    length = max(float(part.mesh.vertices[:, 2].max()) for part in parts)
    return tuple(
        Part(
            part.mesh.moved(z=-length / 2).turned("x", 90).moved(z=radius),
            part.surface,
            part.smooth,
        )
        for part in parts
    )


def _clip(radius: float, top: float, length: float) -> Part:
    blade = slab(0.003, length, 0.001, 0.001).turned("x", 90)
    return Part(
        blade.moved(y=radius + 0.0022, z=top - length / 2), Surface((0.75, 0.75, 0.77), 0.25, 1.0)
    )


def ballpoint(rng: Rng, color: Color | None = None) -> Thing:
    """Return a ballpoint pen with clip, button and grip."""
    r, length = float(rng.uniform(0.0042, 0.006)), float(rng.uniform(0.13, 0.15))
    color = color or pick(rng, BRIGHTS, BRIGHTS, DARKS, LIGHTS)
    metal = float(rng.choice([0, 0, 1]))
    tip = lathe([(0.0003, 0), (0.0009, 0.001), (0.0012, 0.004), (r * 0.7, 0.016)], 16)
    grip = lathe([(r * 0.7, 0.016), (r, 0.024), (r * 1.05, 0.03), (r, 0.05)], 20)
    barrel = lathe([(r, 0.05), (r, length - 0.012), (r * 0.7, length - 0.01)], 20)
    button = lathe([(r * 0.5, length - 0.012), (r * 0.5, length), (0, length)], 16)
    grips = Surface(pick(rng, DARKS), 0.8) if rng.random() < 0.5 else Surface(color, 0.35, metal)
    steel = Surface((0.7, 0.7, 0.72), 0.25, 1.0)
    parts = [
        Part(tip, steel),
        Part(grip, grips),
        Part(barrel, Surface(color, float(rng.uniform(0.15, 0.5)), metal, coat=0.3)),
        Part(button, steel),
        _clip(r, length - 0.014, 0.036),
    ]
    turned = [Part(p.mesh.turned("z", float(rng.uniform(60, 300))), p.surface) for p in parts[-1:]]
    return Thing("ballpoint", "pen", _lying(parts[:-1] + turned, r * 1.05), (r * 3, length))


def pencil(rng: Rng) -> Thing:
    """Return a six-sided pencil, sharpened, often with an eraser."""
    r, length = 0.0037, float(rng.uniform(0.11, 0.185))
    color = pick(rng, BRIGHTS, DARKS)
    parts = [
        Part(lathe([(0.0002, 0), (0.001, 0.005)], 12), Surface((0.1, 0.1, 0.1), 0.5)),
        Part(lathe([(0.001, 0.005), (r, 0.022)], 12), Surface((0.85, 0.68, 0.48), 0.7)),
        Part(
            lathe([(r, 0.022), (r, length - 0.02), (0, length - 0.02)], 6),
            Surface(color, 0.3),
            smooth=False,
        ),
    ]
    if rng.random() < 0.6:
        ferrule = lathe([(r, length - 0.021), (r, length - 0.009)], 14)
        rubber = lathe([(r * 0.95, length - 0.009), (r * 0.95, length - 0.001), (0, length)], 14)
        parts += [
            Part(ferrule, Surface((0.8, 0.75, 0.5), 0.3, 1)),
            Part(rubber, Surface((0.9, 0.5, 0.5), 0.8)),
        ]
    return Thing("pencil", "pen", _lying(parts, r), (r * 3, length))


def marker(rng: Rng) -> Thing:
    """Return a capped felt pen or highlighter."""
    r, length = float(rng.uniform(0.006, 0.009)), float(rng.uniform(0.115, 0.145))
    color = pick(rng, BRIGHTS, BRIGHTS, DARKS)
    body = Surface(pick(rng, LIGHTS, DARKS), 0.4) if rng.random() < 0.5 else Surface(color, 0.4)
    cap = length * float(rng.uniform(0.3, 0.42))
    parts = [
        Part(
            lathe(
                [(0, 0), (r * 0.75, 0.0005), (r * 0.8, 0.01), (r * 1.06, 0.014), (r * 1.06, cap)],
                20,
            ),
            Surface(color, 0.35),
        ),
        Part(
            lathe([(r, cap - 0.001), (r, length - 0.004), (r * 0.8, length), (0, length)], 20), body
        ),
        _clip(r * 1.02, cap, cap * 0.8),
    ]
    return Thing("marker", "pen", _lying(parts, r * 1.06), (r * 3, length))


def fountain(rng: Rng) -> Thing:
    """Return a capped, thicker writing pen with metal rings."""
    r, length = float(rng.uniform(0.0055, 0.007)), float(rng.uniform(0.13, 0.148))
    look = Surface(pick(rng, DARKS, BRIGHTS), 0.12, coat=1)
    gold = Surface((0.85, 0.7, 0.35) if rng.random() < 0.5 else (0.75, 0.75, 0.77), 0.2, 1.0)
    middle = length * 0.45
    parts = [
        Part(lathe([(0, 0), (r * 0.6, 0.001), (r * 0.95, 0.03), (r, middle)], 20), look),
        Part(
            lathe([(r * 1.1, middle), (r * 1.14, middle + 0.002), (r * 1.1, middle + 0.005)], 20),
            gold,
        ),
        Part(
            lathe(
                [(r * 1.08, middle + 0.005), (r, length - 0.006), (r * 0.6, length), (0, length)],
                20,
            ),
            look,
        ),
        Part(_clip(r, length - 0.006, 0.042).mesh, gold),
    ]
    return Thing("fountain pen", "pen", _lying(parts, r * 1.12), (r * 3, length))


def pen(rng: Rng) -> Thing:
    """Return any of the things to write with."""
    kinds = (ballpoint, ballpoint, pencil, marker, fountain)
    return kinds[int(rng.integers(len(kinds)))](rng)
