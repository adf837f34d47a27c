"""Cups, mugs, glasses and bottles."""

from __future__ import annotations

import numpy as np

from models.scenes import textures
from models.scenes.geometry import lathe, tube
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Color, Part, Surface, Thing, pick

Rng = np.random.Generator
_DRINKS: tuple[Color, ...] = ((0.12, 0.06, 0.03), (0.5, 0.32, 0.18), (0.55, 0.25, 0.05))


def _handle(radius: float, height: float, thick: float) -> Part:
    angles = np.linspace(-1.45, 1.45, 16)
    reach, rise = height * 0.3, height * 0.33
    path = np.column_stack(
        [
            radius - 0.003 + reach * np.cos(angles),
            np.zeros(16),
            height * 0.52 + rise * np.sin(angles),
        ]
    )
    return Part(tube(path, thick, 10), Surface())


def mug(rng: Rng, color: Color | None = None) -> Thing:
    """Return a mug with a handle and a drink, plain or printed."""
    r, height = float(rng.uniform(0.036, 0.046)), float(rng.uniform(0.075, 0.11))
    low = r * float(rng.uniform(0.7, 1.0))
    outside = [(0.0, 0.0), (low * 0.92, 0.0), (low, 0.004), (r, height * 0.35), (r, height)]
    inside = [
        (r - 0.002, height + 0.0015),
        (r - 0.004, height),
        (r - 0.004, height * 0.35),
        (low - 0.005, 0.007),
        (0.0, 0.006),
    ]
    color = color or pick(rng, LIGHTS, BRIGHTS, DARKS)
    glaze = Surface(color, float(rng.uniform(0.08, 0.5)), coat=0.4)
    wall = glaze
    if rng.random() < 0.3:
        wall = Surface(color, 0.25, picture=textures.wrapper(rng, 512, 200))
    level = height * float(rng.uniform(0.3, 0.88))
    drink = lathe([(r - 0.0042, level), (0.0, level)], 32)
    handle = Part(_handle(r, height, float(rng.uniform(0.0045, 0.0065))).mesh, glaze)
    parts = (
        Part(lathe(outside, 40), wall),
        Part(lathe(inside, 40), glaze),
        Part(drink, Surface(pick(rng, _DRINKS), 0.1)),
        handle,
    )
    return Thing("mug", "cup", parts, (2 * r + 0.03, 2 * r + 0.03))


def teacup(rng: Rng) -> Thing:
    """Return a low cup on a saucer."""
    r, height = float(rng.uniform(0.038, 0.048)), float(rng.uniform(0.05, 0.065))
    glaze = Surface(pick(rng, LIGHTS, BRIGHTS), 0.12, coat=0.5)
    saucer = lathe(
        [
            (0, 0.004),
            (0.03, 0.004),
            (0.066, 0.016),
            (0.067, 0.017),
            (0.066, 0.018),
            (0.03, 0.0065),
            (0, 0.0065),
        ],
        40,
    )
    bowl = lathe(
        [
            (0.0, 0.007),
            (r * 0.5, 0.007),
            (r * 0.8, 0.022),
            (r, height),
            (r - 0.002, height),
            (r * 0.76, 0.024),
            (0, 0.016),
        ],
        40,
    )
    level = height * 0.8
    drink = lathe([(r * 0.93, level), (0, level)], 32)
    handle = Part(_handle(r * 0.85, height, 0.0035).mesh, glaze)
    parts = (
        Part(saucer, glaze),
        Part(bowl, glaze),
        handle,
        Part(drink, Surface(pick(rng, _DRINKS), 0.1)),
    )
    return Thing("teacup", "cup", parts, (0.135, 0.135))


def paper_cup(rng: Rng) -> Thing:
    """Return a takeaway cup, with or without lid."""
    r, height = float(rng.uniform(0.037, 0.046)), float(rng.uniform(0.09, 0.14))
    low = r * 0.72
    wall = Surface((0.93, 0.92, 0.9), 0.7)
    if rng.random() < 0.7:
        wall = Surface((0.9, 0.9, 0.9), 0.6, picture=textures.wrapper(rng, 512, 256))
    parts = [Part(lathe([(0, 0.004), (low, 0.0), (r, height), (r + 0.0015, height)], 40), wall)]
    if rng.random() < 0.6:
        lid = lathe(
            [
                (r + 0.0025, height - 0.003),
                (r + 0.0025, height + 0.002),
                (r - 0.003, height + 0.01),
                (r - 0.006, height + 0.008),
                (0, height + 0.008),
            ]
        )
        parts.append(Part(lid, Surface(pick(rng, DARKS, LIGHTS), 0.4)))
    else:
        level = height * 0.85
        inner = lathe([(r + 0.0015, height), (r - 0.001, height), (r - 0.004, level)], 40)
        drink = lathe([(r - 0.004, level), (0, level)], 32)
        parts += [
            Part(inner, Surface((0.95, 0.95, 0.95), 0.6)),
            Part(drink, Surface(pick(rng, _DRINKS), 0.1)),
        ]
    return Thing("paper cup", "cup", tuple(parts), (2 * r, 2 * r))


def tumbler(rng: Rng) -> Thing:
    """Return a drinking glass with water or juice."""
    r, height = float(rng.uniform(0.032, 0.042)), float(rng.uniform(0.085, 0.14))
    glass = lathe(
        [
            (0, 0),
            (r * 0.85, 0),
            (r, height),
            (r - 0.002, height),
            (r * 0.85 - 0.002, 0.006),
            (0, 0.006),
        ],
        40,
    )
    level = height * float(rng.uniform(0.3, 0.85))
    share = level / height
    width = r * (0.85 + 0.15 * share) - 0.0025
    tint: Color = (0.9, 0.95, 0.97) if rng.random() < 0.6 else (0.9, 0.5, 0.1)
    drink = lathe([(0, 0.0065), (r * 0.85 - 0.0025, 0.0065), (width, level), (0, level)], 32)
    parts = (
        Part(glass, Surface((0.95, 0.97, 0.97), 0.02, transmission=1.0)),
        Part(drink, Surface(tint, 0.02, transmission=0.9)),
    )
    return Thing("tumbler", "cup", parts, (2 * r, 2 * r))


def cup(rng: Rng) -> Thing:
    """Return any drinking vessel."""
    kinds = (mug, mug, mug, teacup, paper_cup, tumbler)
    return kinds[int(rng.integers(len(kinds)))](rng)


def bottle(rng: Rng) -> Thing:
    """Return a bottle: clear plastic, glass, or a steel flask, with cap and label."""
    r, height = float(rng.uniform(0.03, 0.041)), float(rng.uniform(0.17, 0.27))
    neck = r * float(rng.uniform(0.3, 0.5))
    shoulder = height * float(rng.uniform(0.62, 0.75))
    profile = [
        (0.0, 0.002),
        (r * 0.85, 0.0),
        (r, 0.008),
        (r, shoulder),
        (r * 0.9, shoulder + 0.015),
        (neck * 1.3, height * 0.86),
        (neck, height * 0.9),
        (neck, height * 0.97),
    ]
    kind = str(rng.choice(["plastic", "glass", "flask"]))
    label = lathe([(r + 0.0006, shoulder * 0.35), (r + 0.0006, shoulder * 0.82)], 40)
    parts = []
    if kind == "flask":
        look = Surface(pick(rng, BRIGHTS, DARKS, LIGHTS), 0.35, float(rng.choice([0, 0.9])))
        parts.append(Part(lathe(profile, 40), look))
        cap_r = neck * 1.5
    else:
        tint: Color = (0.93, 0.96, 0.98)
        if kind == "glass":
            tint = pick(rng, ((0.15, 0.4, 0.15), (0.45, 0.2, 0.05), (0.9, 0.95, 0.95)))
        parts.append(Part(lathe(profile, 40), Surface(tint, 0.04, transmission=1.0)))
        level = shoulder * float(rng.uniform(0.3, 1.0))
        fill: Color = (0.9, 0.95, 0.98)
        if rng.random() < 0.45:
            fill = pick(rng, ((0.15, 0.06, 0.03), (0.9, 0.45, 0.05), (0.5, 0.65, 0.1)))
        liquid = lathe([(0, 0.004), (r - 0.002, 0.01), (r - 0.002, level), (0, level)], 32)
        parts.append(Part(liquid, Surface(fill, 0.05, transmission=0.7)))
        cap_r = neck * 1.18
    cap = lathe(
        [
            (cap_r, height * 0.93),
            (cap_r, height),
            (cap_r * 0.9, height + 0.001),
            (0, height + 0.001),
        ],
        24,
    )
    parts.append(Part(cap, Surface(pick(rng, BRIGHTS, DARKS, LIGHTS), 0.45)))
    if kind != "flask" or rng.random() < 0.4:
        parts.append(Part(label, Surface(roughness=0.5, picture=textures.wrapper(rng))))
    return Thing(f"{kind} bottle", "bottle", tuple(parts), (2 * r, 2 * r))
