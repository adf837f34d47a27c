"""What all drawn things share: colours, outlines, light."""

import colorsys

import cv2
import numpy as np
import numpy.typing as npt

from models.train.ink import Colour, fields
from models.train.picture import Cutout, Floats, Picture, Rng, filled

Alpha = npt.NDArray[np.uint8]  # [h, w], opacity


def bright(rng: Rng, low: float = 0.2, high: float = 0.95) -> Colour:
    """Any hue, value within `low`..`high`."""
    r, g, b = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.1, 0.9), rng.uniform(low, high))
    return int(b * 255), int(g * 255), int(r * 255)


def neutral(rng: Rng, low: int, high: int) -> Colour:
    """A grey of `low`..`high` with a touch of colour."""
    v = int(rng.integers(low, high))
    b, g, r = (int(np.clip(v + rng.integers(-6, 7), 0, 255)) for _ in range(3))
    return b, g, r


def case_colour(rng: Rng) -> Colour:
    """What housings come in: mostly black, grey or white, seldom coloured."""
    kind = rng.random()
    if kind < 0.45:
        return neutral(rng, 14, 60)
    if kind < 0.6:
        return neutral(rng, 110, 190)
    if kind < 0.78:
        return neutral(rng, 215, 250)
    return bright(rng, 0.2, 0.9)


def lit(picture: Picture, light: Floats) -> Picture:
    """Multiply a picture by a light map [h, w] (1 = unchanged)."""
    whole = cv2.merge([light, light, light])
    return np.asarray(cv2.multiply(picture, whole, dtype=cv2.CV_8U), np.uint8)


def rounded(h: int, w: int, radius: int, margin: int = 1) -> Alpha:
    """Opacity of a rectangle with round corners."""
    alpha = np.zeros((h, w), np.uint8)
    box(alpha, (margin, margin, w - 1 - margin, h - 1 - margin), radius, 255)
    return alpha


def box(
    picture: Picture | Alpha, at: tuple[int, int, int, int], radius: int, colour: Colour | int
) -> None:
    """Fill a rectangle (left, top, right, bottom) with round corners, in place."""
    x0, y0, x1, y1 = at
    r = max(0, min(radius, (x1 - x0) // 2, (y1 - y0) // 2))
    cv2.rectangle(picture, (x0 + r, y0), (x1 - r, y1), colour, -1)
    cv2.rectangle(picture, (x0, y0 + r), (x1, y1 - r), colour, -1)
    for x, y in ((x0 + r, y0 + r), (x1 - r, y0 + r), (x0 + r, y1 - r), (x1 - r, y1 - r)):
        cv2.circle(picture, (x, y), r, colour, -1, cv2.LINE_AA)


def bevel(alpha: Alpha, depth: float, width: float) -> Floats:
    """Light that falls off towards the outline, so that a thing looks solid."""
    side = 2 * round(2 * width) + 1
    soft = cv2.stackBlur(alpha, (side, side))
    fall = 1 - depth * np.clip(2 - 2 * np.arange(256) / 255, 0, 1)
    return np.asarray(cv2.LUT(soft, fall.astype(np.float32)), np.float32)


def gloss(rng: Rng, h: int, w: int, strength: float) -> Floats:
    """A slanting gradient of light with, half of the time, a bright band in it."""
    a, b = rng.uniform(-1, 1, 2)
    small = (max(2, h // 4), max(2, w // 4))
    across = a * np.linspace(0, 1, small[1])[None] + b * np.linspace(0, 1, small[0])[:, None]
    light = 1 + strength * (across - across.mean())
    if rng.random() < 0.5:
        centre = rng.uniform(float(across.min()), float(across.max()))
        light = light + strength * np.exp(-(((across - centre) / rng.uniform(0.05, 0.25)) ** 2))
    return np.asarray(cv2.resize(light.astype(np.float32), (w, h)), np.float32)


def overlay(out: Cutout, opacity: Alpha, picture: Picture, shade: float, blur: int) -> None:
    """Lay a picture of the same size over a cut-out, in place, with its shadow round it."""
    dark = cv2.stackBlur(opacity, (blur, blur)).astype(np.float32)
    mask = cv2.threshold(opacity, 127, 255, cv2.THRESH_BINARY)[1]
    under = np.asarray(cv2.cvtColor(out, cv2.COLOR_BGRA2BGR), np.uint8)
    ground = lit(under, np.asarray(1 - np.float32(shade / 255) * dark, np.float32))
    alpha = cv2.max(cv2.extractChannel(out, 3), mask)
    cv2.copyTo(picture, mask, ground)
    out[:] = cv2.merge([*cv2.split(ground), alpha])


def wallpaper(rng: Rng, h: int, w: int, cells: int = 3) -> Picture:
    """Soft fields of colour."""
    small = fields(rng, (cells + 1, cells), bright(rng, 0.15, 0.95))
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC), np.uint8)


def pattern(rng: Rng, h: int, w: int) -> Picture:
    """A printed surface: plain, stripes, checks, dots or blobs of a few colours."""
    first, second = bright(rng, 0.1, 0.95), bright(rng, 0.1, 0.95)
    picture = filled(h, w, first)
    kind, step = rng.random(), int(rng.integers(8, 40))
    if kind < 0.25:
        for x in range(-h, w, step):
            cv2.line(picture, (x, 0), (x + h, h), second, max(2, step // 3), cv2.LINE_AA)
    elif kind < 0.45:
        picture[(np.arange(h) // step % 2).astype(bool)] = second
        columns = (np.arange(w) // step % 2).astype(bool)
        picture[:, columns] = (picture[:, columns] * 0.8).astype(np.uint8)
    elif kind < 0.65:
        for y in range(step // 2, h, step):
            for x in range(step // 2, w, step):
                cv2.circle(picture, (x, y), max(2, step // 4), second, -1, cv2.LINE_AA)
    elif kind < 0.85:
        for _ in range(14):
            at, size = (int(rng.integers(w)), int(rng.integers(h))), int(rng.integers(5, w // 4))
            cv2.circle(picture, at, size, bright(rng), -1, cv2.LINE_AA)
    else:
        picture = wallpaper(rng, h, w)
    return picture
