"""Cards and USB sticks."""

from __future__ import annotations

import cv2
import numpy as np

from models.scenes.geometry import Mesh, joined, lathe, slab, tube
from models.scenes.textures import canvas, gradient, rgb, scribble
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Color, Part, Picture, Surface, Thing, pick
from models.scenes.wording import BOLD, company, date, person_name, put

Rng = np.random.Generator
_CARD = (0.0856, 0.054)
_STEEL = Surface((0.75, 0.75, 0.77), 0.25, 1.0)
_SKINS: tuple[Color, ...] = ((0.88, 0.7, 0.6), (0.72, 0.5, 0.38), (0.42, 0.27, 0.18))


def _payment_front(rng: Rng) -> Picture:
    card = gradient(rng, 342, 216)
    if rng.random() < 0.5:
        centre = (int(rng.integers(342)), int(rng.integers(216)))
        cv2.circle(card, centre, int(rng.integers(60, 160)), rgb(pick(rng, BRIGHTS, DARKS)), -1)
    light = (235, 235, 230) if card.mean() < 140 else (40, 40, 44)
    put(card, company(rng), (20, 36), 0.7, light, font=BOLD)
    gold = (214, 180, 110) if rng.random() < 0.6 else (200, 200, 205)
    cv2.rectangle(card, (26, 76), (72, 112), gold, -1)
    for y in (88, 100):
        cv2.line(card, (26, y), (72, y), (120, 100, 60), 1)
    cv2.line(card, (49, 76), (49, 112), (120, 100, 60), 1)
    number = " ".join(f"{rng.integers(10000):04d}" for _ in range(4))
    put(card, number, (22, 150), 0.72, light, font=BOLD)
    put(card, person_name(rng).upper(), (22, 198), 0.48, light)
    put(card, "07/29", (170, 175), 0.42, light)
    first, second = rgb(pick(rng, BRIGHTS)), rgb(pick(rng, BRIGHTS))
    cv2.circle(card, (284, 184), 20, first, -1, cv2.LINE_AA)
    if rng.random() < 0.6:
        cv2.circle(card, (310, 184), 20, second, -1, cv2.LINE_AA)
    return card


def _payment_back(rng: Rng) -> Picture:
    card = gradient(rng, 342, 216)
    cv2.rectangle(card, (0, 22), (342, 66), (18, 18, 20), -1)
    cv2.rectangle(card, (16, 84), (230, 116), (235, 235, 228), -1)
    scribble(card, rng, (24, 78, 200, 116), (30, 30, 90))
    put(card, f"{rng.integers(1000):03d}", (240, 106), 0.6, (240, 240, 240))
    return card


def _identity_front(rng: Rng, *, upright: bool) -> Picture:
    width, height = (216, 342) if upright else (342, 216)
    card = canvas(width, height, pick(rng, LIGHTS, ((0.8, 0.88, 0.95), (0.95, 0.85, 0.88))))
    brand = rgb(pick(rng, BRIGHTS, DARKS))
    cv2.rectangle(card, (0, 0), (width, 40), brand, -1)
    put(card, company(rng)[:16], (12, 27), 0.6, (245, 245, 245), font=BOLD)
    x, y = (58, 60) if upright else (16, 56)
    cv2.rectangle(card, (x, y), (x + 100, y + 124), (176, 190, 204), -1)
    shirt, hair = rgb(pick(rng, BRIGHTS, DARKS)), rgb(pick(rng, DARKS))
    cv2.ellipse(card, (x + 50, y + 124), (44, 42), 0, 180, 360, shirt, -1, cv2.LINE_AA)
    cv2.circle(card, (x + 50, y + 46), 30, hair, -1, cv2.LINE_AA)
    cv2.ellipse(card, (x + 50, y + 56), (22, 28), 0, 0, 360, rgb(pick(rng, _SKINS)), -1)
    left, top = (20, 216) if upright else (132, 74)
    put(card, person_name(rng), (left, top), 0.62, (25, 25, 30), font=BOLD)
    for row in range(3):
        put(card, date(rng), (left, top + 28 + 24 * row), 0.5, (60, 60, 66))
    return card


def _embossed(rng: Rng) -> Part:
    """Return raised digits on a payment card: low blocks along its number line."""
    digits = [
        slab(0.0022, 0.0038, 0.0004, 0.0005, 0.0001).moved(
            -0.035 + 0.0038 * i + 0.003 * (i // 4), -0.0095, 0.0007
        )
        for i in range(16)
    ]
    return Part(joined(digits), Surface(pick(rng, LIGHTS), 0.3, 0.7))


def _lanyard(rng: Rng, y: float) -> Part:
    t = np.linspace(0, 1, 40)
    bend = float(rng.uniform(0.03, 0.07))
    path = np.column_stack(
        [
            bend * np.sin(t * 2 * np.pi) * (1 + t),
            y + 0.22 * np.sin(t * np.pi),
            np.full(40, 0.0015),
        ]
    )
    strap = tube(path, 0.004, 6).scaled(1, 1, 0.3)
    return Part(strap, Surface(pick(rng, BRIGHTS, DARKS), 0.9), counts=False)


def card(rng: Rng) -> Thing:
    """Return a payment card (front or back) or an identity card, sometimes on a lanyard."""
    kind = rng.random()
    width, length = _CARD
    upright = kind > 0.75
    if upright:
        width, length = length, width
    if kind < 0.42:
        picture = _payment_front(rng)
    elif kind < 0.55:
        picture = _payment_back(rng)
    else:
        picture = _identity_front(rng, upright=upright)
    body = slab(width, length, 0.0008, 0.0032, 0.0001)
    gloss = float(rng.uniform(0.15, 0.5))
    parts = [Part(body, Surface(roughness=gloss, picture=picture))]
    if kind < 0.42 and rng.random() < 0.4:
        parts.append(_embossed(rng))
    if upright and rng.random() < 0.6:
        parts.append(_lanyard(rng, length / 2))
    return Thing("card", "card", tuple(parts), (width, length), 0.0008)


def _plug(length: float) -> Mesh:
    return slab(0.012, length, 0.0045, 0.0008, 0.0004)


def _sleek(rng: Rng, length: float) -> list[Part]:
    """Return a stick with its metal plug bare."""
    body = slab(0.018, length, 0.008, float(rng.uniform(0.001, 0.008)), 0.0015)
    look = Surface(pick(rng, DARKS, BRIGHTS, LIGHTS), 0.4, float(rng.choice([0, 0, 0.9])))
    holes = joined(
        [
            slab(0.002, 0.002, 0.0002, 0.0001).moved(x, length / 2 + 0.006, 0.0062)
            for x in (-3e-3, 3e-3)
        ]
    )
    return [
        Part(body, look),
        Part(_plug(0.014).moved(0, length / 2 + 0.006, 0.0018), _STEEL),
        Part(holes, Surface((0.03, 0.03, 0.03), 0.6)),
    ]


def _capped(rng: Rng, length: float) -> list[Part]:
    """Return a stick with its cap on, or beside it."""
    color = pick(rng, BRIGHTS, DARKS, LIGHTS)
    cap = slab(0.019, 0.02, 0.009, 0.003, 0.002)
    body = slab(0.018, length, 0.008, 0.003, 0.002)
    cap_look = Surface(pick(rng, LIGHTS, DARKS), 0.4) if rng.random() < 0.5 else Surface(color, 0.4)
    if rng.random() < 0.5:
        where = cap.moved(0, length / 2 + 0.01)
        return [Part(body, Surface(color, 0.4)), Part(where, cap_look)]
    beside = cap.turned("z", float(rng.uniform(0, 180))).moved(0.03, 0.01)
    plug = Part(_plug(0.014).moved(0, length / 2 + 0.006, 0.0018), _STEEL)
    return [Part(body, Surface(color, 0.4)), plug, Part(beside, cap_look, counts=False)]


def _swivel(rng: Rng, length: float) -> list[Part]:
    """Return a stick in a metal swivel shell, on a key ring."""
    body = Part(slab(0.017, length, 0.009, 0.003), Surface(pick(rng, BRIGHTS, DARKS), 0.45))
    turn = float(rng.choice([0, 0, 60, 180]))
    plates = [
        slab(0.019, length * 0.75, 0.0008, 0.006).moved(y=length * 0.3, z=z) for z in (0, 0.01)
    ]
    shell = joined(plates).turned("z", turn).moved(y=-length * 0.3)
    angles = np.linspace(0, 2 * np.pi, 25)
    ring = np.column_stack(
        [0.011 * np.cos(angles), 0.011 * np.sin(angles) - length / 2 - 0.01, np.full(25, 0.003)]
    )
    plug = Part(_plug(0.014).moved(0, length / 2 + 0.006, 0.002), _STEEL)
    return [body, plug, Part(shell, _STEEL), Part(tube(ring, 0.001, 6), _STEEL, counts=False)]


def _round(rng: Rng, length: float) -> list[Part]:
    """Return a barrel-shaped stick with a bright collar."""
    r = 0.009
    profile = [
        (0, 0),
        (r * 0.8, 0.001),
        (r, 0.006),
        (r, length - 0.004),
        (r * 0.8, length),
        (0, length),
    ]
    barrel = lathe(profile, 20).turned("x", -90).scaled(1, 1, 0.6).moved(0, -length / 2, r * 0.6)
    plug = Part(_plug(0.014).moved(0, length / 2 + 0.006, 0.003), _STEEL)
    return [Part(barrel, Surface(pick(rng, DARKS, BRIGHTS, LIGHTS), 0.3, coat=0.5)), plug]


def usb_stick(rng: Rng) -> Thing:
    """Return a USB stick of any shape."""
    kinds = (_sleek, _sleek, _capped, _swivel, _round)
    length = float(rng.uniform(0.028, 0.055))
    parts = kinds[int(rng.integers(len(kinds)))](rng, length)
    return Thing("USB stick", "usb_stick", tuple(parts), (0.022, length + 0.03))
