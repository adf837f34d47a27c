"""Unlabelled things of a desk, many of them easily mistaken for a labelled one."""

from __future__ import annotations

import numpy as np

from models.scenes import textures
from models.scenes.geometry import Array, Mesh, joined, lathe, sheet, slab, tube
from models.scenes.thing import (
    BRIGHTS,
    DARKS,
    LEATHERS,
    LIGHTS,
    Color,
    Part,
    Surface,
    Thing,
    pick,
)

Rng = np.random.Generator


def wallet(rng: Rng) -> Thing:
    """Return a folded leather wallet."""
    width, length = float(rng.uniform(0.085, 0.1)), float(rng.uniform(0.1, 0.19))
    leather = Surface(pick(rng, LEATHERS), 0.6)
    lower = slab(width, length, 0.008, 0.006, 0.003)
    upper = slab(width - 0.002, length, 0.008, 0.006, 0.003).turned("y", -2).moved(z=0.0085)
    return Thing("wallet", "", (Part(lower, leather), Part(upper, leather)), (width, length))


def calculator(rng: Rng) -> Thing:
    """Return a pocket calculator."""
    width, length = float(rng.uniform(0.07, 0.1)), float(rng.uniform(0.12, 0.16))
    height = 0.012
    step = width * 0.2
    keys = [
        slab(step * 0.75, step * 0.6, 0.003, 0.001).moved(
            (i - 1.5) * step, j * step * 0.85 - length * 0.4, height
        )
        for i in range(4)
        for j in range(5)
    ]
    parts = (
        Part(slab(width, length, height, 0.006, 0.002), Surface(pick(rng, DARKS, LIGHTS), 0.5)),
        Part(joined(keys), Surface(pick(rng, LIGHTS, DARKS), 0.5)),
        Part(
            slab(width * 0.82, length * 0.16, 0.001, 0.001).moved(y=length * 0.34, z=height),
            Surface((0.45, 0.5, 0.42), 0.15),
        ),
    )
    return Thing("calculator", "", parts, (width, length))


def coaster(rng: Rng) -> Thing:
    """Return a round or square coaster."""
    look = Surface(
        pick(rng, LEATHERS, DARKS, BRIGHTS),
        0.9,
        pattern="speckle",
        second=pick(rng, LEATHERS, LIGHTS),
        scale=90,
    )
    mesh = (
        slab(0.1, 0.1, 0.005, 0.006)
        if rng.random() < 0.5
        else lathe([(0, 0), (0.05, 0), (0.05, 0.005), (0, 0.005)], 40)
    )
    return Thing("coaster", "", (Part(mesh, look),), (0.1, 0.1), 0.005)


def mouse_pad(rng: Rng) -> Thing:
    """Return a mouse pad or a desk mat."""
    if rng.random() < 0.4:
        width, length = float(rng.uniform(0.6, 0.9)), float(rng.uniform(0.28, 0.4))
    else:
        width, length = float(rng.uniform(0.2, 0.28)), float(rng.uniform(0.17, 0.24))
    look = Surface(pick(rng, DARKS, DARKS, BRIGHTS, LEATHERS), 0.9)
    if rng.random() < 0.2:
        look = Surface(look.color, 0.9, picture=textures.cloth(rng), scale=2)
    return Thing(
        "mouse pad", "", (Part(slab(width, length, 0.003, 0.01), look),), (width, length), 0.003
    )


def napkin(rng: Rng) -> Thing:
    """Return a folded paper napkin or cloth."""
    size = float(rng.uniform(0.1, 0.17))
    wave = float(rng.uniform(3, 9))
    phase = float(rng.uniform(0, 6))
    look = Surface(pick(rng, BRIGHTS, BRIGHTS, LIGHTS), 0.95, picture=textures.cloth(rng), scale=3)

    def layer(level: int) -> Mesh:
        def height(u: Array, v: Array) -> Array:
            ripple = 1 + np.sin(wave * u + phase + level) * np.cos(wave * v)
            return np.asarray(0.002 + level * 0.002 + 0.0015 * ripple)

        return sheet(size, size, height, 14, 14).turned("z", level * 3)

    leaves = [layer(level) for level in range(3)]
    return Thing("napkin", "", (Part(joined(leaves), look),), (size, size))


def tissue_box(rng: Rng) -> Thing:
    """Return a box of tissues, one sticking out."""
    width, length, height = 0.22, 0.115, float(rng.uniform(0.06, 0.09))
    look = Surface(roughness=0.6, picture=textures.cover(rng))
    angles = np.linspace(0, 2 * np.pi, 9)
    crumple = [
        (0.03 + 0.008 * np.sin(3 * float(a)), float(z))
        for a, z in zip(angles, np.linspace(0, 0.06, 9), strict=True)
    ]
    tissue = lathe([*crumple, (0.0, 0.055)], 9).scaled(1, 0.35, 1).moved(z=height)
    parts = (
        Part(slab(width, length, height, 0.002), look),
        Part(tissue, Surface((0.95, 0.95, 0.95), 0.95), smooth=False),
    )
    return Thing("tissue box", "", parts, (width, length))


def chocolate(rng: Rng) -> Thing:
    """Return a bar of chocolate in its wrapper."""
    width, length = float(rng.uniform(0.07, 0.085)), float(rng.uniform(0.14, 0.17))
    picture = np.ascontiguousarray(np.rot90(textures.wrapper(rng, 256, 128)))
    bar = slab(width, length, 0.009, 0.002)
    return Thing(
        "chocolate", "", (Part(bar, Surface(roughness=0.3, picture=picture)),), (width, length)
    )


def ruler(rng: Rng) -> Thing:
    """Return a ruler with marks."""
    length = float(rng.choice([0.16, 0.31]))
    marks = [
        slab(0.01 if i % 5 == 0 else 0.005, 0.0006, 0.0002, 0.0001).moved(
            0.01, i * 0.005 - length / 2 + 0.01, 0.002
        )
        for i in range(int((length - 0.02) / 0.005))
    ]
    look = Surface(pick(rng, ((0.8, 0.65, 0.4), (0.85, 0.9, 0.9)), BRIGHTS, LIGHTS), 0.4)
    parts = (
        Part(slab(0.032, length, 0.002, 0.001), look),
        Part(joined(marks), Surface((0.05, 0.05, 0.05))),
    )
    return Thing("ruler", "", parts, (0.032, length))


def glasses_case(rng: Rng) -> Thing:
    """Return a case for glasses."""
    body = slab(0.06, 0.16, 0.04, 0.028, 0.014)
    return Thing(
        "glasses case",
        "",
        (Part(body, Surface(pick(rng, LEATHERS, DARKS, BRIGHTS), 0.6)),),
        (0.06, 0.16),
    )


def earphones(rng: Rng) -> Thing:
    """Return a small rounded charging case."""
    body = slab(0.06, 0.046, 0.022, 0.02, 0.008)
    return Thing(
        "earphones",
        "",
        (Part(body, Surface(pick(rng, LIGHTS, DARKS), 0.2, coat=0.5)),),
        (0.06, 0.046),
    )


def _leaf(size: float, bend: float) -> Mesh:
    def height(u: Array, v: Array) -> Array:
        return np.asarray(size * bend * (v - v**2 * 0.8) - 0.02 * (u - 0.5) ** 2)

    flat = sheet(size * 0.35, size, height, 5, 8)
    taper = np.sin(np.clip(flat.uv[:, 1], 0.02, 0.98) * np.pi) ** 0.6
    narrow = flat.vertices * np.column_stack([taper, np.ones((len(taper), 2))])
    return Mesh(narrow, flat.faces, flat.uv).moved(y=size * 0.5)


def plant(rng: Rng) -> Thing:
    """Return a small potted plant."""
    r, height = float(rng.uniform(0.04, 0.07)), float(rng.uniform(0.07, 0.12))
    pot = lathe(
        [
            (0, 0),
            (r * 0.75, 0),
            (r, height),
            (r * 0.92, height),
            (r * 0.9, height - 0.01),
            (0, height - 0.012),
        ],
        32,
    )
    leaves = []
    for _ in range(int(rng.integers(14, 30))):
        leaf = _leaf(float(rng.uniform(0.05, 0.12)), float(rng.uniform(0.3, 0.9)))
        leaf = leaf.turned("x", float(rng.uniform(5, 70)))
        leaves.append(leaf.turned("z", float(rng.uniform(0, 360))).moved(z=height - 0.01))
    green: Color = (0.1, float(rng.uniform(0.3, 0.5)), 0.12)
    parts = (
        Part(pot, Surface(pick(rng, LIGHTS, LEATHERS, BRIGHTS), 0.7)),
        Part(joined(leaves), Surface(green, 0.5)),
    )
    return Thing("plant", "", parts, (0.15, 0.15))


def lamp(rng: Rng) -> Thing:
    """Return a desk lamp (it gives no light of its own; the light set-up does)."""
    look = Surface(pick(rng, DARKS, LIGHTS, BRIGHTS), 0.35)
    base = lathe([(0.08, 0), (0.08, 0.012), (0.02, 0.02), (0, 0.02)], 40)
    t = np.linspace(0, 1, 14)
    arm = np.column_stack([np.zeros(14), -0.22 * t**2.2, 0.02 + 0.38 * np.sin(t * 1.9)])
    shade = lathe([(0.02, 0.07), (0.03, 0.07), (0.075, 0), (0.07, 0.0), (0.025, 0.06)], 32)
    bulb = lathe([(0, 0.01), (0.025, 0.02), (0.025, 0.04)], 20)
    glow = Surface((1.0, 0.9, 0.75), 0.5, emission=3.0)
    end = arm[-1]
    parts = (
        Part(base, look),
        Part(tube(arm, 0.007, 10), look),
        Part(shade.moved(0, end[1], end[2] - 0.06), look),
        Part(bulb.moved(0, end[1], end[2] - 0.06), glow),
    )
    return Thing("lamp", "", parts, (0.17, 0.17))


def stapler(rng: Rng) -> Thing:
    """Return a stapler."""
    look = Surface(pick(rng, DARKS, BRIGHTS), 0.35)
    parts = (
        Part(slab(0.036, 0.14, 0.008, 0.008), Surface((0.1, 0.1, 0.1), 0.5)),
        Part(slab(0.032, 0.135, 0.022, 0.008, 0.006).turned("x", -7).moved(z=0.025), look),
    )
    return Thing("stapler", "", parts, (0.036, 0.14))


def small_box(rng: Rng) -> Thing:
    """Return a printed carton or a power brick."""
    size = rng.uniform(0.05, 0.16, 2)
    height = float(rng.uniform(0.02, 0.09))
    look = Surface(roughness=0.6, picture=textures.cover(rng, 200, 200))
    if rng.random() < 0.4:
        look = Surface(pick(rng, DARKS), 0.5)
    mesh = slab(float(size[0]), float(size[1]), height, 0.004)
    return Thing("box", "", (Part(mesh, look),), (float(size[0]), float(size[1])))


def cable(rng: Rng) -> Thing:
    """Return a loose charging cable."""
    t = np.linspace(0, 1, 50)
    loops = float(rng.uniform(0.6, 2.4))
    r = 0.05 + 0.05 * t
    path = np.column_stack(
        [r * np.cos(t * loops * 6.28), r * np.sin(t * loops * 6.28), np.full(50, 0.003) + 0.003 * t]
    )
    return Thing(
        "cable",
        "",
        (Part(tube(path, 0.0018, 6), Surface(pick(rng, DARKS, LIGHTS), 0.5)),),
        (0.18, 0.18),
    )


ALL = (
    wallet,
    calculator,
    coaster,
    mouse_pad,
    napkin,
    tissue_box,
    chocolate,
    ruler,
    glasses_case,
    earphones,
    plant,
    lamp,
    stapler,
    small_box,
    cable,
)
