"""Things of no class that could be taken for one: they teach what is not to be reported."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from models.train import ink
from models.train.picture import LONG, Cutout, Rng, filled, smooth_noise, solid
from models.train.things.shapes import (
    Alpha,
    bevel,
    box,
    bright,
    case_colour,
    gloss,
    lit,
    neutral,
    pattern,
    rounded,
)


def wallet(rng: Rng) -> Cutout:
    """Leather, folded once: seam, grain, perhaps a stud."""
    h, w = int(LONG * rng.uniform(0.5, 0.9)), LONG
    leather = (30, 50, 85) if rng.random() < 0.5 else neutral(rng, 18, 60)
    colour = np.array(leather) * rng.uniform(0.6, 1.5) if rng.random() < 0.8 else bright(rng)
    picture = filled(h, w, colour)
    alpha = rounded(h, w, int(rng.integers(6, 28)))
    grain = 1 + 0.05 * rng.normal(0, 1, (h, w)) + 0.1 * smooth_noise(rng, h, w, 6)
    seam = tuple(int(v) for v in np.clip(np.array(colour) * rng.choice([0.5, 1.7]), 0, 255))
    for x in range(12, w - 14, 8):
        cv2.line(picture, (x, 10), (x + 4, 10), seam, 1)
        cv2.line(picture, (x, h - 11), (x + 4, h - 11), seam, 1)
    picture = lit(picture, np.asarray(grain * bevel(alpha, 0.5, 8), np.float32))
    if rng.random() < 0.4:
        cv2.circle(picture, (w - 30, h // 2), 9, neutral(rng, 120, 210), -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        cv2.line(picture, (0, h // 2), (w, h // 2), seam, 2)
    return solid(alpha, picture)


def calculator(rng: Rng) -> Cutout:
    """A display at the top, keys in a grid below."""
    h, w = LONG, int(LONG * rng.uniform(0.5, 0.78))
    picture, alpha = filled(h, w, case_colour(rng)), rounded(h, w, int(rng.integers(6, 26)))
    picture = lit(picture, bevel(alpha, 0.4, 5))
    left, right, top = int(w * 0.1), int(w * 0.9), int(h * 0.07)
    low = int(h * rng.uniform(0.2, 0.28))
    cv2.rectangle(picture, (left, top), (right, low), (130, 165, 155), -1)
    shown = (left + (right - left) // 3, top + 6, right - 6, low - 4)
    ink.heading(picture, rng, shown, (40, 50, 45), kind=ink.DIGITS)
    cols, rows = int(rng.integers(4, 6)), int(rng.integers(5, 7))
    first = int(h * 0.33)
    step_x, step_y = (right - left) / cols, (int(h * 0.95) - first) / rows
    key = neutral(rng, 30, 235)
    for r in range(rows):
        for c in range(cols):
            tone = bright(rng, 0.5, 0.9) if rng.random() < 0.1 else key
            x, y = int(left + c * step_x), int(first + r * step_y)
            box(picture, (x + 2, y + 2, x + int(step_x) - 5, y + int(step_y) - 5), 4, tone)
    return solid(alpha, picture)


def coaster(rng: Rng) -> Cutout:
    """Round or square: cork, slate, printed."""
    side = 200
    kind = rng.random()
    picture = pattern(rng, side, side)
    if kind < 0.3:
        picture = filled(side, side, (95, 145, 190))
        picture = lit(picture, np.asarray(1 + 0.15 * rng.normal(0, 1, (side, side)), np.float32))
    elif kind < 0.5:
        picture = filled(side, side, neutral(rng, 25, 250))
    alpha = rounded(side, side, int(rng.choice([6, 20, side // 2])))
    return solid(alpha, lit(picture, bevel(alpha, 0.3, 5)))


def mouse_pad(rng: Rng) -> Cutout:
    """Cloth: dark or printed, sometimes with a rest for the wrist."""
    h, w = int(LONG * rng.uniform(0.7, 0.95)), LONG
    picture = filled(h, w, neutral(rng, 18, 70)) if rng.random() < 0.6 else pattern(rng, h, w)
    alpha = rounded(h, w, int(rng.integers(4, 40)))
    light = 1 + 0.05 * smooth_noise(rng, h, w, 4)
    return solid(alpha, lit(picture, np.asarray(light * bevel(alpha, 0.25, 2), np.float32)))


def napkin(rng: Rng) -> Cutout:
    """Soft folded tissue: white or coloured, embossed along the rim, quartered, no print."""
    h, w = int(LONG * rng.choice([1.0, 0.5, 0.97])), LONG
    white = rng.random() < 0.6
    picture = filled(h, w, neutral(rng, 228, 252) if white else bright(rng, 0.5, 0.95))
    light = 1 + 0.06 * smooth_noise(rng, h, w, 6) + 0.012 * rng.normal(0, 1, (h, w))
    rim = int(rng.integers(12, 34))
    for x in range(rim, w - rim, 6):
        for y in (rim, rim + 7, h - rim, h - rim - 7):
            light[y - 1 : y + 1, x : x + 3] -= 0.06
    light[h // 2 : h // 2 + 3] -= rng.uniform(0.03, 0.14)
    light[:, w // 2 : w // 2 + 3] -= rng.uniform(0.03, 0.14)
    light[h // 2 :, : w // 2] *= rng.uniform(0.93, 1.03)
    alpha = rounded(h, w, int(rng.integers(4, 16)))
    return solid(alpha, lit(picture, np.asarray(light * bevel(alpha, 0.2, 4), np.float32)))


def envelope(rng: Rng) -> Cutout:
    """Its flap's seams, or its window and stamp."""
    h, w = int(LONG * rng.uniform(0.48, 0.7)), LONG
    manila = rng.random() < 0.35
    picture = filled(h, w, (125, 180, 215) if manila else neutral(rng, 222, 250))
    shade = tuple(int(v * 0.8) for v in picture[0, 0])
    if rng.random() < 0.55:
        tip = (w // 2, int(h * rng.uniform(0.5, 0.65)))
        flap = np.array([[2, 2], tip, [w - 3, 2]], np.int32)
        cv2.polylines(picture, [flap + np.array([0, 3], np.int32)], False, shade, 4, cv2.LINE_AA)
        cv2.line(picture, (2, h - 2), (tip[0] - 20, tip[1] - 20), shade, 1, cv2.LINE_AA)
        cv2.line(picture, (w - 3, h - 2), (tip[0] + 20, tip[1] - 20), shade, 1, cv2.LINE_AA)
    else:
        pane = (int(w * 0.1), int(h * 0.5), int(w * 0.48), int(h * 0.82))
        box(picture, pane, 6, (205, 210, 212))
        inner = (pane[0] + 8, pane[1] + 6, pane[2] - 8, pane[3])
        ink.lines(picture, rng, inner, step=12, kind=0, justified=False)
        ink.photograph(picture, rng, (int(w * 0.84), int(h * 0.08), int(w * 0.95), int(h * 0.32)))
    light = np.asarray(1 + 0.04 * smooth_noise(rng, h, w, 3), np.float32)
    return solid(rounded(h, w, 2), lit(picture, light))


def tissue_box(rng: Rng) -> Cutout:
    """From above: a printed lid, an oval slit, a tissue's tuft in it."""
    h, w = int(LONG * rng.uniform(0.5, 1.0)), LONG
    picture, alpha = pattern(rng, h, w), rounded(h, w, 4)
    centre = (w // 2, h // 2)
    cv2.ellipse(picture, centre, (w // 4, h // 7), 0, 0, 360, (60, 60, 60), -1, cv2.LINE_AA)
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    reach = rng.uniform(0.4, 1.0, 14)
    tuft = np.stack([np.cos(angle) * reach * w / 5, np.sin(angle) * reach * h / 5], -1)
    tone = neutral(rng, 235, 255)
    cv2.fillPoly(picture, [(tuft + centre).astype(np.int32)], tone, cv2.LINE_AA)
    for fold in tuft[::3]:
        end = (int(centre[0] + fold[0]), int(centre[1] + fold[1]))
        cv2.line(picture, centre, end, (205, 205, 208), 3, cv2.LINE_AA)
    return solid(alpha, lit(picture, bevel(alpha, 0.3, 5)))


def chocolate(rng: Rng) -> Cutout:
    """A bar in its wrapper with crimped ends, or unwrapped: brown squares."""
    h, w = int(LONG * rng.uniform(0.3, 0.5)), LONG
    if rng.random() < 0.3:
        picture, step = filled(h, w, (25, 42, 72)), max(20, h // 3)
        for x in range(0, w, step):
            cv2.line(picture, (x, 0), (x, h), (14, 26, 46), 4)
        for y in range(0, h, step):
            cv2.line(picture, (0, y), (w, y), (45, 66, 100), 4)
        return solid(rounded(h, w, 4), lit(picture, gloss(rng, h, w, 0.25)))
    picture = filled(h, w, bright(rng, 0.25, 0.95))
    band = bright(rng, 0.3, 1.0)
    cv2.rectangle(picture, (w // 8, h // 4), (w - w // 8, h - h // 4), band, -1)
    name = (w // 5, h // 3, w - w // 5, h - h // 3)
    ink.heading(picture, rng, name, neutral(rng, 230, 255), kind=3)
    picture[:, : w // 20 : 4] = (picture[:, : w // 20 : 4] * 0.6).astype(np.uint8)
    picture[:, -w // 20 :: 4] = (picture[:, -w // 20 :: 4] * 0.6).astype(np.uint8)
    light = gloss(rng, h, w, 0.2) + 0.12 * smooth_noise(rng, h, w, 7)
    return solid(rounded(h, w, 2), lit(picture, np.asarray(light, np.float32)))


def earphone_case(rng: Rng) -> Cutout:
    """A rounded pebble with the lid's seam and a light."""
    h, w = int(LONG * 0.5 * rng.uniform(0.75, 0.95)), LONG // 2
    picture = filled(h, w, neutral(rng, 225, 250) if rng.random() < 0.6 else case_colour(rng))
    alpha = rounded(h, w, int(h * rng.uniform(0.28, 0.5)))
    seam = int(h * rng.uniform(0.3, 0.42))
    cv2.line(picture, (0, seam), (w, seam), (150, 150, 150), 2)
    cv2.circle(picture, (w // 2, int(h * 0.55)), 3, (90, 220, 120), -1, cv2.LINE_AA)
    return solid(alpha, lit(picture, bevel(alpha, 0.5, 8) * gloss(rng, h, w, 0.1)))


def ruler(rng: Rng) -> Cutout:
    """Ticks along one edge."""
    h, w = int(LONG * rng.uniform(0.09, 0.14)), LONG
    tones = ((140, 190, 220), (235, 238, 240), (190, 195, 200), bright(rng, 0.5, 1.0))
    picture = filled(h, w, tones[int(rng.integers(4))])
    for i, x in enumerate(range(5, w - 4, 3)):
        tall = h // 2 if i % 10 == 0 else h // 4
        cv2.line(picture, (x, 0), (x, tall), (50, 50, 50), 1)
    return solid(rounded(h, w, 2), lit(picture, gloss(rng, h, w, 0.2)))


def plate(rng: Rng) -> Cutout:
    """A disc with a rim and a hollow."""
    side = LONG
    white = rng.random() < 0.75
    picture = filled(side, side, neutral(rng, 222, 252) if white else bright(rng, 0.4, 0.95))
    alpha = rounded(side, side, side // 2)
    hollow: Alpha = np.zeros((side, side), np.uint8)
    cv2.circle(hollow, (side // 2, side // 2), int(side * 0.32), 255, -1, cv2.LINE_AA)
    if rng.random() < 0.3:
        centre = (side // 2, side // 2)
        cv2.circle(picture, centre, int(side * 0.45), bright(rng), 4, cv2.LINE_AA)
    ring = np.abs(cv2.GaussianBlur(hollow, (0, 0), 8).astype(np.float32) / 255 - 0.5)
    light = bevel(alpha, 0.3, 6) * (
        0.9 + 0.2 * np.minimum(ring * 2, 1) * gloss(rng, side, side, 0.1)
    )
    return solid(alpha, lit(picture, np.asarray(light, np.float32)))


def slab(rng: Rng) -> Cutout:
    """A white or grey flat housing without keys: router, drive, wrist rest, power brick."""
    h, w = int(LONG * rng.uniform(0.25, 0.75)), LONG
    picture = filled(h, w, neutral(rng, 215, 250) if rng.random() < 0.7 else case_colour(rng))
    alpha = rounded(h, w, int(h * rng.uniform(0.06, 0.3)))
    if rng.random() < 0.5:
        y = int(h * rng.uniform(0.2, 0.8))
        cv2.line(picture, (0, y), (w, y), (165, 165, 165), 1)
    for i in range(int(rng.integers(0, 5))):
        cv2.circle(picture, (w // 2 + 14 * i, h - 14), 2, (90, 200, 90), -1, cv2.LINE_AA)
    return solid(alpha, lit(picture, bevel(alpha, 0.4, 6) * gloss(rng, h, w, 0.08)))


def placemat(rng: Rng) -> Cutout:
    """Woven or printed, with a hem; also a cloth or a folded towel."""
    h, w = int(LONG * rng.uniform(0.6, 0.8)), LONG
    picture = pattern(rng, h, w) if rng.random() < 0.4 else filled(h, w, bright(rng, 0.1, 0.95))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    weave = np.sin(x * rng.uniform(0.5, 2.0)) * np.sin(y * rng.uniform(0.5, 2.0))
    light = 1 + rng.uniform(0.02, 0.15) * weave + 0.06 * smooth_noise(rng, h, w, 4)
    light[:8] *= 0.85
    light[-8:] *= 0.85
    return solid(rounded(h, w, int(rng.integers(2, 20))), lit(picture, light.astype(np.float32)))


def carton(rng: Rng) -> Cutout:
    """A small box: brown or printed card, flaps meeting in the middle, tape."""
    h, w = int(LONG * rng.uniform(0.45, 1.0)), LONG
    brown = rng.random() < 0.6
    tone = np.array((95, 140, 185)) * rng.uniform(0.75, 1.15)
    picture = filled(h, w, tone) if brown else filled(h, w, case_colour(rng))
    cv2.line(picture, (0, h // 2), (w, h // 2), (50, 70, 90), 2)
    if rng.random() < 0.6:
        tape = np.clip(tone * rng.uniform(0.8, 1.3), 0, 255).astype(np.uint8)
        picture[h // 2 - h // 12 : h // 2 + h // 12] = tape
    if rng.random() < 0.5:
        x, y = int(w * rng.uniform(0.08, 0.5)), int(h * 0.1)
        cv2.rectangle(picture, (x, y), (x + w // 3, y + h // 4), (238, 240, 240), -1)
        at = ink.clip_to(picture, (x + 5, y + 4, x + w // 3 - 5, y + h // 4))
        ink.lines(picture, rng, at, step=9, kind=0, justified=False)
    light = 1 + 0.04 * smooth_noise(rng, h, w, 3)
    alpha = rounded(h, w, 1)
    return solid(alpha, lit(picture, np.asarray(light * bevel(alpha, 0.2, 3), np.float32)))


# Look-alike -> how it is drawn, how often, and its longest side in metres with its spread.
LOOKALIKES: Final[dict[str, tuple[Callable[[Rng], Cutout], float, tuple[float, float]]]] = {
    "wallet": (wallet, 1.3, (0.11, 0.2)),
    "calculator": (calculator, 1.2, (0.15, 0.2)),
    "coaster": (coaster, 0.8, (0.1, 0.15)),
    "mouse_pad": (mouse_pad, 0.8, (0.24, 0.15)),
    "napkin": (napkin, 1.2, (0.17, 0.25)),
    "envelope": (envelope, 0.25, (0.22, 0.1)),
    "tissue_box": (tissue_box, 0.8, (0.22, 0.2)),
    "chocolate": (chocolate, 0.8, (0.15, 0.3)),
    "earphone_case": (earphone_case, 0.8, (0.065, 0.1)),
    "ruler": (ruler, 0.7, (0.25, 0.25)),
    "plate": (plate, 0.8, (0.22, 0.25)),
    "slab": (slab, 0.9, (0.24, 0.4)),
    "placemat": (placemat, 0.6, (0.42, 0.1)),
    "carton": (carton, 0.8, (0.22, 0.5)),
}
_NAMES: Final = tuple(LOOKALIKES)
_SHARES: Final = np.array([share for _, share, _ in LOOKALIKES.values()])


def lookalike(rng: Rng) -> tuple[str, Cutout]:
    """One thing of no class, with its name in `LOOKALIKES`."""
    name = _NAMES[int(rng.choice(len(_NAMES), p=_SHARES / _SHARES.sum()))]
    return name, LOOKALIKES[name][0](rng)
