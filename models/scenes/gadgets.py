"""Tablets, phones on their face, and remotes."""

from __future__ import annotations

import cv2
import numpy as np

from models.scenes import documents, textures
from models.scenes.geometry import Mesh, joined, lathe, slab
from models.scenes.thing import (
    BRIGHTS,
    DARKS,
    LEATHERS,
    LIGHTS,
    Part,
    Picture,
    Surface,
    Thing,
    pick,
)

Rng = np.random.Generator
_BLACK = (0.02, 0.02, 0.025)


def _bump(width: float, length: float, top: float, *, lenses: int) -> list[Part]:
    """Return a camera's island at the upper left of a back."""
    size = 0.017 if lenses == 1 else 0.032
    x, y = -width / 2 + size / 2 + 0.006, length / 2 - size / 2 - 0.006
    island = slab(size, size, 0.0016, size * 0.28).moved(x, y, top)
    spots = ((0, 0),) if lenses == 1 else ((-0.22, 0.22), (-0.22, -0.22), (0.24, 0.0))[:lenses]
    rings = [
        lathe([(0.0068, -0.002), (0.0068, 0), (0.0056, 0.001), (0, 0.001)], 20).moved(
            x + dx * size, y + dy * size, top + 0.0022
        )
        for dx, dy in spots
    ]
    return [
        Part(island, Surface((0.1, 0.1, 0.11), 0.25)),
        Part(joined(rings), Surface(_BLACK, 0.08, coat=1)),
    ]


def _case_print(rng: Rng) -> Picture:
    kind = rng.random()
    if kind < 0.4:
        return np.ascontiguousarray(np.tile(textures.cloth(rng), (2, 1, 1)))
    if kind < 0.7:
        return textures.cover(rng, 216, 456)
    return textures.gradient(rng, 216, 456)


def phone_on_its_face(rng: Rng) -> Thing:
    """Return a phone that shows its back: bare, in a plain or a printed case."""
    width, length = float(rng.uniform(0.067, 0.079)), float(rng.uniform(0.138, 0.166))
    height, corner = float(rng.uniform(0.0075, 0.0095)), float(rng.uniform(0.007, 0.013))
    kind = rng.random()
    if kind < 0.45:
        look = Surface(pick(rng, DARKS, LIGHTS, BRIGHTS), float(rng.choice([0.1, 0.4])), coat=0.4)
    elif kind < 0.7:
        look = Surface(pick(rng, DARKS, BRIGHTS, LIGHTS), 0.75)
    else:
        look = Surface(roughness=0.45, picture=_case_print(rng))
    body = slab(width, length, height, corner, 0.002)
    parts = [Part(body, look), *_bump(width, length, height, lenses=int(rng.integers(1, 4)))]
    if rng.random() < 0.3:
        mark = lathe([(0.006, 0), (0.006, 0.0002), (0, 0.0002)], 24).moved(z=height)
        parts.append(Part(mark, Surface(pick(rng, LIGHTS, DARKS), 0.2, 0.8)))
    if rng.random() < 0.12:
        grip = lathe([(0.019, 0), (0.019, 0.006), (0, 0.006)], 28).moved(0, -length * 0.1, height)
        parts.append(Part(grip, Surface(pick(rng, DARKS, BRIGHTS), 0.5)))
    return Thing("phone down", "phone", tuple(parts), (width, length), height)


def _tablet_screen(rng: Rng, *, upright: bool) -> Picture:
    kind = rng.random()
    if kind < 0.4:
        wide, tall = (600, 800) if upright else (800, 600)
        small = textures.phone_screen(rng, 300, 400) if upright else textures.desktop(rng, 400, 300)
        return np.asarray(cv2.resize(small, (wide, tall)), dtype=np.uint8)
    if kind < 0.65:
        return documents.printed(rng, (600, 800) if upright else (800, 600))
    return textures.desktop(rng, 800, 600) if not upright else textures.phone_screen(rng, 450, 600)


def _tablet_body(rng: Rng, width: float, length: float, *, face: str) -> list[Part]:
    height = 0.0065
    look = Surface(pick(rng, LIGHTS, DARKS, DARKS), 0.35, float(rng.choice([0.0, 0.85])))
    parts = [Part(slab(width, length, height, 0.012, 0.0018), look)]
    if face == "down":
        parts += _bump(width, length, height, lenses=int(rng.integers(1, 4)))
        mark = lathe([(0.012, 0), (0.012, 0.0002), (0, 0.0002)], 24).moved(z=height)
        return [*parts, Part(mark, Surface(pick(rng, DARKS, LIGHTS), 0.15, 0.8))]
    rim = float(rng.uniform(0.006, 0.014))
    front = slab(width - 0.002, length - 0.002, 0.0004, 0.011, 0.0001).moved(z=height - 0.0001)
    glass = slab(width - 2 * rim, length - 2 * rim, 0.0004, 0.003, 0.0001).moved(z=height + 0.0002)
    screen = Surface(_BLACK, float(rng.uniform(0.04, 0.2)), coat=0.5)
    if face == "on":
        picture = _tablet_screen(rng, upright=width < length)
        glow = float(rng.uniform(0.4, 1.2))
        screen = Surface(_BLACK, 0.15, emission=glow, picture=picture)
    bezel = Surface(_BLACK if rng.random() < 0.75 else pick(rng, LIGHTS), 0.1, coat=0.5)
    return [*parts, Part(front, bezel), Part(glass, screen)]


def _propped(parts: list[Part], length: float, angle: float) -> list[Part]:
    """Stand a tablet at an angle in a folio whose flap is its foot."""
    lifted = [
        Part(p.mesh.moved(y=length / 2).turned("x", angle).moved(y=-length / 2, z=0.004), p.surface)
        for p in parts
    ]
    rise, run = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    width = float(np.ptp(parts[0].mesh.vertices[:, 0]))
    foot = slab(width, length * 0.9, 0.003, 0.01).moved(y=-length * 0.05)
    strut = slab(width, length * 0.5 * rise, 0.003, 0.002).turned("x", 180 - 70)
    strut = strut.moved(y=-length / 2 + length * run * 0.75 + 0.02, z=length * rise * 0.25)
    folio = Surface((0.12, 0.13, 0.16), 0.8)
    return [*lifted, Part(foot, folio), Part(strut, folio)]


def tablet(rng: Rng) -> Thing:
    """Return a tablet: face up (on or off), on its face, propped up, or in a folio."""
    width, length = float(rng.uniform(0.135, 0.185)), float(rng.uniform(0.2, 0.27))
    if rng.random() < 0.45:
        width, length = length, width
    face = str(rng.choice(["on", "off", "down"], p=[0.48, 0.3, 0.22]))
    parts = _tablet_body(rng, width, length, face=face)
    kind = rng.random()
    size = (width, length)
    if kind < 0.25 and face != "down":
        parts = _propped(parts, length, float(rng.uniform(15, 65)))
    elif kind < 0.5:
        look = Surface(pick(rng, LEATHERS, DARKS, BRIGHTS), 0.75)
        tray = slab(width + 0.008, length + 0.008, 0.004, 0.014, 0.001)
        parts = [Part(p.mesh.moved(z=0.002), p.surface) for p in parts]
        parts.append(Part(tray, look))
        if rng.random() < 0.5:
            flap = slab(width + 0.004, length + 0.006, 0.0022, 0.012, 0.0008)
            parts.append(Part(flap.moved(x=-width - 0.01), look, counts=False))
            parts = [Part(p.mesh.moved(x=width / 2), p.surface, counts=p.counts) for p in parts]
            size = (2 * width + 0.03, length + 0.01)
    if rng.random() < 0.12:
        stylus = lathe([(0, 0), (0.0044, 0.018), (0.0044, 0.16), (0, 0.162)], 16)
        side = stylus.turned("x", 90).moved(size[0] / 2 + 0.008, 0.08, 0.005)
        parts.append(Part(side, Surface((0.95, 0.95, 0.95), 0.3), counts=False))
        size = (size[0] + 0.03, size[1])
    return Thing(f"tablet {face}", "tablet", tuple(parts), size)


def _buttons(rng: Rng, width: float, length: float, top: float) -> list[Part]:
    """Return a remote's keys: three columns, or few keys about a ring."""
    if rng.random() < 0.3:
        ring = lathe([(0.016, 0), (0.016, 0.0015), (0.009, 0.0015), (0.008, 0)], 30)
        few = [
            lathe([(0.0045, 0), (0.0045, 0.0015), (0, 0.0015)], 16).moved(x, y, top)
            for x in (-0.01, 0.01)
            for y in (-0.0, -0.016, -0.032)
        ]
        meshes: list[Mesh] = [ring.moved(y=length * 0.27, z=top), *few]
        return [Part(joined(meshes), Surface(pick(rng, DARKS, LIGHTS), 0.4))]
    pitch = width * 0.27
    rows = int(length * 0.78 / 0.014)
    keys = [
        slab(pitch * 0.75, 0.008, 0.002, 0.003).moved(
            (i - 1) * pitch, j * 0.014 - length * 0.4, top
        )
        for i in range(3)
        for j in range(rows)
        if rng.random() < 0.93
    ]
    split = max(1, int(len(keys) * 0.85))
    power = lathe([(0.005, 0), (0.005, 0.002), (0, 0.002)], 16).moved(
        -pitch, length * 0.45, top - 0.0005
    )
    return [
        Part(joined(keys[:split]), Surface(pick(rng, LIGHTS, DARKS), 0.6)),
        Part(joined([*keys[split:], power]), Surface(pick(rng, BRIGHTS), 0.5)),
    ]


def remote(rng: Rng) -> Thing:
    """Return a remote control for a television, a projector or a heater."""
    width, length = float(rng.uniform(0.034, 0.055)), float(rng.uniform(0.12, 0.23))
    height = float(rng.uniform(0.008, 0.02))
    body = slab(width, length, height, float(rng.uniform(0.004, 0.016)), min(0.005, height / 3))
    look = Surface(pick(rng, DARKS, DARKS, LIGHTS), float(rng.uniform(0.25, 0.6)))
    parts = [Part(body, look), *_buttons(rng, width, length, height)]
    return Thing("remote", "remote", tuple(parts), (width, length))
