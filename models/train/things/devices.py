"""Cameras, headphones and remote controls."""

import cv2
import numpy as np

from models.train import ink
from models.train.picture import LONG, Cutout, Picture, Rng, filled, solid
from models.train.things.shapes import (
    bevel,
    box,
    bright,
    case_colour,
    gloss,
    lit,
    neutral,
    rounded,
)


def _front_lens(picture: Picture, rng: Rng, x: int, y: int, r: int) -> None:
    """A lens seen from the front: rings, dark glass, coloured reflections."""
    barrel = neutral(rng, 15, 60) if rng.random() < 0.75 else neutral(rng, 150, 210)
    for share, tone in (
        (1.0, barrel),
        (0.88, neutral(rng, 35, 80)),
        (0.8, (22, 22, 22)),
        (0.62, neutral(rng, 45, 70)),
        (0.55, (14, 12, 12)),
    ):
        cv2.circle(picture, (x, y), max(2, int(r * share)), tone, -1, cv2.LINE_AA)
    glow = bright(rng, 0.3, 0.7)
    cv2.circle(picture, (x - r // 6, y - r // 6), max(2, r // 4), glow, -1, cv2.LINE_AA)
    cv2.circle(picture, (x - r // 5, y - r // 4), max(1, r // 10), (235, 235, 240), -1, cv2.LINE_AA)
    cv2.circle(picture, (x, y), max(2, int(r * 0.93)), (120, 120, 120), 1, cv2.LINE_AA)


def _camera_front(rng: Rng) -> Cutout:
    """Body, lens, and a prism's hump, a flash or a finder window."""
    w, h = LONG, int(LONG * rng.uniform(0.6, 0.75))
    picture, alpha = filled(h, w, case_colour(rng)), np.zeros((h, w), np.uint8)
    top = int(h * rng.uniform(0.14, 0.24))
    box(alpha, (1, top, w - 2, h - 2), int(h * rng.uniform(0.05, 0.16)), 255)
    if rng.random() < 0.5:  # two tones: leather below metal
        low = neutral(rng, 20, 60) if rng.random() < 0.7 else (40, 65, 105)
        picture[int(h * 0.36) : int(h * 0.9)] = low
    if rng.random() < 0.55:
        hump = np.array([[0.34, 0.3], [0.4, 0.02], [0.6, 0.02], [0.66, 0.3]]) * (w, h)
        cv2.fillPoly(alpha, [hump.astype(np.int32)], 255, cv2.LINE_AA)
    else:
        box(picture, (int(w * 0.62), top + 8, int(w * 0.8), top + 28), 3, (200, 215, 225))
        box(picture, (int(w * 0.42), top + 8, int(w * 0.52), top + 24), 2, (30, 30, 30))
    for x in (0.1, 0.8):
        box(alpha, (int(w * x), top - 12, int(w * x) + 32, top + 6), 4, 255)
    if rng.random() < 0.6:
        picture[top:, : int(w * 0.2)] = (picture[top:, : int(w * 0.2)] * 0.65).astype(np.uint8)
    picture = lit(picture, bevel(alpha, 0.5, 6) * gloss(rng, h, w, 0.15))
    r = int(h * rng.uniform(0.28, 0.38))
    _front_lens(picture, rng, int(w * rng.uniform(0.46, 0.58)), int(h * 0.58), r)
    name = (int(w * 0.4), int(h * 0.12), int(w * 0.6), int(h * 0.12) + 16)
    ink.heading(picture, rng, name, neutral(rng, 180, 240), kind=1)
    return solid(alpha, picture)


def _camera_top(rng: Rng) -> Cutout:
    """From above: a flat body with dials and hot shoe, the lens sticking out in front."""
    w, h = LONG, int(LONG * rng.uniform(0.6, 0.95))
    picture, alpha = filled(h, w, case_colour(rng)), np.zeros((h, w), np.uint8)
    deep = int(w * rng.uniform(0.24, 0.34))
    box(alpha, (1, 1, w - 2, deep), deep // 4, 255)
    box(alpha, (int(w * 0.78), 1, w - 2, int(deep * 1.35)), deep // 4, 255)
    x, half = int(w * 0.44), int(w * rng.uniform(0.13, 0.2))
    box(alpha, (x - half, deep // 2, x + half, h - 2), 8, 255)
    cv2.rectangle(picture, (x - half, deep), (x + half, h), neutral(rng, 18, 55), -1)
    for y in range(deep + 12, h - 14, 5):
        if y % 40 < 24:
            cv2.line(picture, (x - half, y), (x + half, y), (75, 75, 75), 2)
    cv2.rectangle(picture, (x - half, h - 14), (x + half, h), neutral(rng, 60, 120), 2)
    across = np.ones((h, w), np.float32)
    barrel = np.linspace(-1, 1, 2 * half, dtype=np.float32)
    across[deep:, x - half : x + half] = 1.3 - 0.8 * barrel**2
    box(picture, (x - 24, deep // 4, x + 24, int(deep * 0.7)), 3, neutral(rng, 110, 180))
    for dx, r in ((0.72, 0.2), (0.86, 0.16), (0.12, 0.18)):
        at = (int(w * dx), deep // 2)
        cv2.circle(picture, at, int(deep * r), neutral(rng, 30, 200), -1, cv2.LINE_AA)
        cv2.circle(picture, at, int(deep * r), (15, 15, 15), 2, cv2.LINE_AA)
    light = bevel(alpha, 0.5, 5) * across * gloss(rng, h, w, 0.12)
    return solid(alpha, lit(picture, np.asarray(light, np.float32)))


def _webcam(rng: Rng) -> Cutout:
    """An action or web camera: a small block with one lens."""
    w, h = LONG, int(LONG * rng.uniform(0.35, 0.8))
    picture = filled(h, w, case_colour(rng))
    alpha = rounded(h, w, int(h * rng.uniform(0.1, 0.45)))
    picture = lit(picture, bevel(alpha, 0.5, 7) * gloss(rng, h, w, 0.2))
    _front_lens(picture, rng, int(w * rng.choice([0.5, 0.7])), int(h * 0.5), int(h * 0.33))
    cv2.circle(picture, (int(w * 0.15), int(h * 0.3)), 6, bright(rng, 0.7, 1.0), -1, cv2.LINE_AA)
    return solid(alpha, picture)


def camera(rng: Rng) -> Cutout:
    """A camera from the front, from above, or a small action or web camera."""
    kind = rng.random()
    if kind < 0.45:
        return _camera_front(rng)
    return _camera_top(rng) if kind < 0.8 else _webcam(rng)


def headphones(rng: Rng) -> Cutout:
    """Two ear cups and a band lying flat; the desk shows through between them."""
    h, w = int(LONG * rng.uniform(0.8, 1.1)), LONG
    colour = case_colour(rng)
    picture, band, cups = (
        filled(h, w, colour),
        np.zeros((h, w), np.uint8),
        np.zeros((h, w), np.uint8),
    )
    cup_h, cup_w = int(LONG * rng.uniform(0.13, 0.22)), int(LONG * rng.uniform(0.07, 0.19))
    thick = int(rng.integers(16, 34))
    inset = cup_w + 4
    middle = h - cup_h - 6
    axes = (w // 2 - inset, middle - thick)
    cv2.ellipse(band, (w // 2, middle), axes, 0, 178, 362, 255, thick, cv2.LINE_AA)
    slant = rng.uniform(-18, 18)
    pad = neutral(rng, 18, 60) if rng.random() < 0.7 else case_colour(rng)
    for x, turn in ((inset, slant), (w - inset, -slant)):
        cv2.ellipse(cups, (x, middle), (cup_w, cup_h), turn, 0, 360, 255, -1, cv2.LINE_AA)
        cv2.ellipse(picture, (x, middle), (cup_w, cup_h), turn, 0, 360, pad, -1, cv2.LINE_AA)
        flat = cup_w > LONG * 0.1
        if flat:  # the cup lies flat: its cushion rings a dark hollow or a shell
            hollow = (18, 18, 18) if rng.random() < 0.5 else colour
            inner = (int(cup_w * 0.58), int(cup_h * 0.62))
            cv2.ellipse(picture, (x, middle), inner, turn, 0, 360, hollow, -1, cv2.LINE_AA)
        else:  # it stands on edge: shell outside, cushion inside
            side = x - cup_w // 3 if x < w // 2 else x + cup_w // 3
            shell = (max(2, cup_w // 2), int(cup_h * 0.9))
            cv2.ellipse(picture, (side, middle), shell, turn, 0, 360, colour, -1, cv2.LINE_AA)
    light = np.minimum(bevel(band, 0.45, thick / 5), bevel(cups, 0.6, 5) + (cups == 0))
    light = np.where(cups > 0, bevel(cups, 0.6, 5), light) * gloss(rng, h, w, 0.15)
    alpha = np.maximum(band, cups)
    return solid(alpha, lit(picture, np.asarray(light, np.float32)))


def remote(rng: Rng) -> Cutout:
    """A remote control along y: dark long body, buttons in a grid, a ring of arrows."""
    h, w = LONG, int(LONG * rng.uniform(0.19, 0.32))
    dark = rng.random() < 0.75
    colour = neutral(rng, 18, 60) if dark else neutral(rng, 150, 245)
    picture, alpha = filled(h, w, colour), rounded(h, w, int(w * rng.uniform(0.1, 0.5)))
    picture = lit(picture, bevel(alpha, rng.uniform(0.3, 0.6), 5) * gloss(rng, h, w, 0.2))
    key = neutral(rng, 70, 200) if dark else neutral(rng, 40, 120)
    if rng.random() < 0.4:
        key = neutral(rng, 30, 75)
    cv2.circle(picture, (int(w * 0.25), int(h * 0.06)), max(3, w // 11), (40, 40, 215), -1)
    y, cols = h * 0.12, int(rng.integers(3, 5))
    ring_at = rng.uniform(0.25, 0.5) * h
    step = w * 0.86 / cols
    oblong, ring = rng.random() < 0.5, rng.random() < 0.75
    while y < h * rng.uniform(0.82, 0.97):
        if ring and y > ring_at:
            r, at = int(w * 0.32), (w // 2, int(y + w * 0.34))
            cv2.circle(picture, at, r, key, max(3, r // 3), cv2.LINE_AA)
            cv2.circle(picture, at, r // 3, key, -1, cv2.LINE_AA)
            ring, y = False, y + w * 0.84
            continue
        row_tone = [bright(rng, 0.6, 1.0)] * cols if rng.random() < 0.12 else [key] * cols
        for c, tone in enumerate(row_tone):
            x, ys = int(w * 0.07 + (c + 0.5) * step), int(y)
            if oblong:
                half, tall = int(step * 0.34), int(step * 0.2)
                box(picture, (x - half, ys - tall, x + half, ys + tall), 3, tone)
            else:
                cv2.circle(picture, (x, ys), int(step * 0.3), tone, -1, cv2.LINE_AA)
        y += step * 0.78
    return solid(alpha, picture)
