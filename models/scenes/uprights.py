"""Unlabelled things that stand upright like bottles and pens, and bright flat ones like paper."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.scenes import textures
from models.scenes.geometry import joined, lathe, sheet, slab, tube
from models.scenes.thing import BRIGHTS, DARKS, LEATHERS, LIGHTS, Part, Surface, Thing, pick

Rng = np.random.Generator
_WAX: Final = ((0.95, 0.92, 0.82), (0.8, 0.2, 0.15), (0.85, 0.8, 0.9))


def candle(rng: Rng) -> Thing:
    """Return a candle, slim on a holder or thick."""
    slim = rng.random() < 0.5
    r = 0.011 if slim else float(rng.uniform(0.025, 0.04))
    height = float(rng.uniform(0.15, 0.26) if slim else rng.uniform(0.07, 0.16))
    body = lathe([(0, 0), (r, 0), (r, height), (r * 0.6, height + 0.001), (0, height - 0.002)], 24)
    parts = [Part(body, Surface(pick(rng, _WAX), 0.5))]
    if slim:
        foot = lathe([(0, 0), (0.045, 0), (0.045, 0.006), (0.015, 0.02), (0.014, 0.03)], 28)
        parts.append(Part(foot, Surface(pick(rng, DARKS, LEATHERS), 0.3, 0.8)))
    return Thing("candle", "", tuple(parts), (2 * r + 0.06 * slim, 2 * r + 0.06 * slim))


def spray_can(rng: Rng) -> Thing:
    """Return a spray can or deodorant."""
    r, height = float(rng.uniform(0.022, 0.033)), float(rng.uniform(0.12, 0.2))
    body = lathe([(0, 0), (r, 0.002), (r, height * 0.8), (r * 0.7, height * 0.85)], 32)
    cap = lathe([(r * 0.85, height * 0.78), (r * 0.85, height), (0, height)], 32)
    parts = (
        Part(body, Surface(roughness=0.3, picture=textures.wrapper(rng, 512, 300))),
        Part(cap, Surface(pick(rng, BRIGHTS, LIGHTS, DARKS), 0.4)),
    )
    return Thing("spray can", "", parts, (2 * r, 2 * r))


def vase(rng: Rng) -> Thing:
    """Return a slim vase, sometimes with dry twigs."""
    r, height = float(rng.uniform(0.03, 0.05)), float(rng.uniform(0.16, 0.3))
    neck = r * float(rng.uniform(0.3, 0.8))
    waist = height * float(rng.uniform(0.25, 0.45))
    body = lathe([(0, 0), (r * 0.6, 0), (r, waist), (neck, height * 0.8), (neck * 1.2, height)], 32)
    look = Surface(pick(rng, LIGHTS, LEATHERS, BRIGHTS), float(rng.uniform(0.1, 0.8)))
    parts = [Part(body, look)]
    if rng.random() < 0.5:
        twigs = []
        for _ in range(int(rng.integers(2, 6))):
            end = rng.normal(0, 0.05, 2)
            t = np.linspace(0, 1, 8)[:, None]
            path = t**1.5 * np.array([end[0], end[1], 0.0]) + t * np.array([0, 0, 0.22])
            twigs.append(tube(path, 0.0017, 5).moved(z=height - 0.03))
        parts.append(Part(joined(twigs), Surface((0.4, 0.3, 0.18), 0.9)))
    return Thing("vase", "", tuple(parts), (2 * r, 2 * r))


def speaker(rng: Rng) -> Thing:
    """Return a loudspeaker, box or can."""
    look = Surface(pick(rng, DARKS, DARKS, LIGHTS, BRIGHTS), 0.7)
    if rng.random() < 0.5:
        r, height = float(rng.uniform(0.035, 0.05)), float(rng.uniform(0.09, 0.2))
        body = lathe([(0, 0), (r, 0.004), (r, height - 0.01), (r * 0.9, height), (0, height)], 36)
        return Thing("speaker", "", (Part(body, look),), (2 * r, 2 * r))
    width, height = float(rng.uniform(0.09, 0.14)), float(rng.uniform(0.15, 0.24))
    cones = [
        lathe([(0, 0.002), (r, 0.006), (r * 1.1, 0)], 28)
        .turned("x", 90)
        .moved(0, -0.065, z * height)
        for r, z in ((width * 0.34, 0.36), (width * 0.17, 0.78))
    ]
    parts = (
        Part(slab(width, 0.13, height, 0.006), look),
        Part(joined(cones), Surface(pick(rng, DARKS, LIGHTS), 0.5)),
    )
    return Thing("speaker", "", parts, (width, 0.15))


def pen_pot(rng: Rng) -> Thing:
    """Return an empty pen pot or a round tin."""
    r, height = float(rng.uniform(0.03, 0.045)), float(rng.uniform(0.08, 0.11))
    wall = [(0, 0), (r, 0), (r, height), (r - 0.002, height), (r - 0.002, 0.004), (0, 0.004)]
    look = Surface(pick(rng, DARKS, LIGHTS, BRIGHTS), 0.5, float(rng.choice([0, 0.9])))
    return Thing("pen pot", "", (Part(lathe(wall, 32), look),), (2 * r, 2 * r))


def plate(rng: Rng) -> Thing:
    """Return a plate or a saucer, mostly white, sometimes with a snack."""
    r = float(rng.uniform(0.06, 0.12))
    dish = lathe(
        [(0, 0.004), (r * 0.6, 0.004), (r, 0.016), (r, 0.019), (r * 0.6, 0.008), (0, 0.008)]
    )
    parts = [Part(dish, Surface(pick(rng, LIGHTS, LIGHTS, BRIGHTS), 0.12, coat=0.4))]
    if rng.random() < 0.5:
        snack = lathe([(0, 0), (0.03, 0.004), (0.032, 0.015), (0.012, 0.026), (0, 0.027)], 18)
        where = (float(rng.normal(0, 0.01)), float(rng.normal(0, 0.01)), 0.008)
        parts.append(Part(snack.moved(*where), Surface(pick(rng, LEATHERS, BRIGHTS), 0.8)))
    return Thing("plate", "", tuple(parts), (2 * r, 2 * r))


def tray(rng: Rng) -> Thing:
    """Return a white or wooden board, a tray or a tile: flat, bright and bare."""
    width, length = float(rng.uniform(0.12, 0.3)), float(rng.uniform(0.12, 0.24))
    height = float(rng.uniform(0.006, 0.022))
    look = Surface(pick(rng, LIGHTS, LEATHERS, DARKS), float(rng.uniform(0.1, 0.7)))
    body = slab(width, length, height, float(rng.uniform(0.004, 0.05)), 0.002)
    return Thing("tray", "", (Part(body, look),), (width, length), height)


def cloth(rng: Rng) -> Thing:
    """Return a crumpled cloth or tissue."""
    size, amount = float(rng.uniform(0.1, 0.22)), float(rng.uniform(0.01, 0.03))
    a, b, c = (float(s) for s in rng.uniform(4, 11, 3))
    crumple = sheet(
        size,
        size,
        lambda u, v: amount * np.abs(np.sin(a * u + b * v) * np.cos(c * v - a * u * v)) + 0.001,
        22,
        22,
    )
    look = Surface(pick(rng, LIGHTS, LIGHTS, BRIGHTS), 0.95)
    if rng.random() < 0.3:
        look = Surface(roughness=0.95, picture=textures.cloth(rng), scale=2)
    return Thing("cloth", "", (Part(crumple, look),), (size, size))


def palm_rest(rng: Rng) -> Thing:
    """Return a keyboard's palm rest."""
    width = float(rng.uniform(0.3, 0.45))
    body = slab(width, 0.075, 0.018, 0.02, 0.008)
    return Thing(
        "palm rest", "", (Part(body, Surface(pick(rng, DARKS, LEATHERS), 0.7)),), (width, 0.075)
    )


def envelope(rng: Rng) -> Thing:
    """Return a closed envelope, window or not."""
    width, length = (0.22, 0.11) if rng.random() < 0.6 else (0.162, 0.114)
    look = Surface(pick(rng, LIGHTS, ((0.78, 0.62, 0.42),)), 0.85)
    parts = [Part(slab(width, length, 0.0015, 0.0006), look)]
    if rng.random() < 0.6:
        pane = slab(width * 0.4, length * 0.3, 0.0003, 0.004, 0.0001)
        parts.append(
            Part(pane.moved(-width * 0.22, -length * 0.1, 0.0015), Surface((0.75, 0.78, 0.8), 0.1))
        )
    return Thing("envelope", "", tuple(parts), (width, length), 0.0015)


def earbuds(rng: Rng) -> Thing:
    """Return two wired earbuds in the tangle of their cable."""
    t = np.linspace(0, 1, 60)
    a, b = (float(s) for s in rng.uniform(5, 14, 2))
    size = float(rng.uniform(0.03, 0.06))
    path = np.column_stack(
        [size * np.sin(a * t) * (1 - 0.3 * t), size * np.cos(b * t), 0.003 + 0.004 * (t > 0.5)]
    )
    bud = lathe([(0, 0), (0.006, 0.002), (0.007, 0.007), (0.004, 0.012), (0, 0.013)], 16)
    buds = [bud.turned("x", 70).moved(path[i, 0], path[i, 1], 0.005) for i in (0, -1)]
    look = Surface(pick(rng, LIGHTS, DARKS), 0.35)
    parts = (Part(tube(path, 0.0014, 6), look), Part(joined(buds), look))
    return Thing("earbuds", "", parts, (2.2 * size, 2.2 * size))


ALL: Final = (earbuds, candle, spray_can, vase, speaker, pen_pot, plate, tray, cloth, palm_rest)
