"""Drawn cut-outs of the classes that no set labels: paper, notebook, pen; and of no class."""

import colorsys

import cv2
import numpy as np
import numpy.typing as npt

from models.train import ink
from models.train.picture import (
    LONG,
    Cutout,
    Floats,
    Picture,
    Rng,
    filled,
    shaded,
    smooth_noise,
    solid,
)


def _bright(rng: Rng, low: float = 0.2, high: float = 0.95) -> tuple[float, float, float]:
    r, g, b = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.1, 0.9), rng.uniform(low, high))
    return b * 255, g * 255, r * 255


def _paper_colour(rng: Rng) -> tuple[int, int, int]:
    kind = rng.random()
    if kind < 0.66:
        v = int(rng.integers(225, 256))
        return v - int(rng.integers(0, 8)), v - int(rng.integers(0, 5)), v
    if kind < 0.84:
        return int(rng.integers(185, 225)), int(rng.integers(225, 245)), int(rng.integers(235, 252))
    if kind < 0.92:
        return int(rng.integers(120, 180)), int(rng.integers(220, 245)), int(rng.integers(230, 255))
    return int(rng.integers(190, 250)), int(rng.integers(200, 245)), int(rng.integers(190, 245))


def _bend(rng: Rng, h: int, w: int, strength: float) -> Floats:
    """Light on a sheet that does not lie quite flat: soft waves and a fold or two."""
    light = 1 + strength * smooth_noise(rng, h, w, int(rng.integers(3, 5)))
    for _ in range(int(rng.integers(0, 3))):
        along = int(rng.uniform(0.25, 0.75) * h)
        side = np.where(np.arange(h) < along, 1.0, 1 - rng.uniform(-0.08, 0.12))[:, None]
        light = light * side.astype(np.float32)
    return light.astype(np.float32)


def _crumple(rng: Rng, h: int, w: int) -> Floats:
    light = np.ones((h, w), np.float32)
    for _ in range(int(rng.integers(8, 20))):
        a, b = rng.uniform(-1, 1, 2)
        c = a * rng.uniform(0, w) + b * rng.uniform(0, h)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        light += rng.uniform(-0.06, 0.06) * np.sign(a * x + b * y - c)
    return np.asarray(cv2.GaussianBlur(light, (0, 0), 2), np.float32)


def _outline(rng: Rng, h: int, w: int, dent: float) -> npt.NDArray[np.uint8]:
    """Opacity of a sheet: a rectangle whose edges wave a little and whose corner may be folded."""
    n = 12
    edge = np.linspace(0.02, 0.98, n)
    wave = [rng.normal(0, dent, n) for _ in range(4)]
    top = np.stack([edge * w, np.abs(wave[0]) * h + 2], -1)
    right = np.stack([w - 3 - np.abs(wave[1]) * w, edge * h], -1)
    bottom = np.stack([edge[::-1] * w, h - 3 - np.abs(wave[2]) * h], -1)
    left = np.stack([np.abs(wave[3]) * w + 2, edge[::-1] * h], -1)
    if rng.random() < 0.12:
        right = right[int(rng.integers(1, 4)) :]
    outline = np.concatenate([top, right, bottom, left]).astype(np.int32)
    alpha = np.zeros((h, w), np.uint8)
    cv2.fillPoly(alpha, [outline], 255, cv2.LINE_AA)
    return alpha


def paper(rng: Rng) -> Cutout:
    """A loose sheet: letter, form, receipt or hand-written, flat, folded or crumpled."""
    ratio = rng.uniform(0.66, 0.8) if rng.random() < 0.8 else rng.uniform(0.3, 0.62)
    h, w = LONG, int(LONG * ratio)
    page = filled(h * 2, w * 2, _paper_colour(rng))
    if rng.random() < 0.93:
        ink.fill_page(page, rng)
    page = np.asarray(cv2.resize(page, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    crumpled = rng.random() < 0.15
    light = _bend(rng, h, w, rng.uniform(0.02, 0.1))
    if crumpled:
        light = light * _crumple(rng, h, w)
    alpha = _outline(rng, h, w, rng.uniform(0.004, 0.02) if crumpled else 0.002)
    return solid(alpha, shaded(page, light))


def _spiral(picture: Picture, rng: Rng, x: int) -> None:
    """A wire binding down the column x: holes and rings."""
    h = picture.shape[0]
    step = int(rng.integers(8, 15))
    metal = int(rng.integers(30, 220))
    for y in range(step // 2, h, step):
        cv2.circle(picture, (x + 6, y), 2, (40, 40, 40), -1, cv2.LINE_AA)
        cv2.line(picture, (x - 5, y), (x + 6, y), (metal, metal, metal), 2, cv2.LINE_AA)


def _open_notebook(rng: Rng) -> Cutout:
    h, w = int(LONG * rng.uniform(0.62, 0.8)), LONG
    big = filled(h * 2, w * 2, _paper_colour(rng))
    ink.rules(big, rng)
    for left, right in ((0.03, 0.46), (0.54, 0.97)):
        if rng.random() < 0.6:
            ink.handwriting(big, rng, (left, 0.06, right, rng.uniform(0.3, 0.95)))
    page = np.asarray(cv2.resize(big, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    across = np.abs(np.linspace(-1, 1, w, dtype=np.float32))
    gutter = 1 - rng.uniform(0.25, 0.5) * np.exp(-((across / 0.06) ** 2))
    light = np.tile(gutter * (0.94 + 0.06 * across), (h, 1)).astype(np.float32)
    page = shaded(page, light * _bend(rng, h, w, 0.03))
    if rng.random() < 0.5:
        _spiral(page, rng, w // 2)
    alpha = np.zeros((h, w), np.uint8)
    alpha[2:-2, 2:-2] = 255
    edge = tuple(int(v) for v in _bright(rng, 0.1, 0.7))
    cv2.rectangle(page, (2, 2), (w - 3, h - 3), edge, int(rng.integers(2, 5)))
    return solid(alpha, page)


def _pad(rng: Rng) -> Cutout:
    """A pad open at one page: ruled, hand-written, with its wire along a side or the top."""
    h, w = LONG, int(LONG * rng.uniform(0.64, 0.8))
    big = filled(h * 2, w * 2, _paper_colour(rng))
    ink.rules(big, rng)
    if rng.random() < 0.6:
        ink.handwriting(big, rng, (0.15, 0.05, 0.95, rng.uniform(0.3, 0.9)))
    page = np.asarray(cv2.resize(big, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    page = shaded(page, _bend(rng, h, w, 0.03))
    _spiral(page, rng, 7)
    if rng.random() < 0.5:
        page = np.ascontiguousarray(np.rot90(page))
    alpha = np.zeros(page.shape[:2], np.uint8)
    alpha[1:-1, 1:-1] = 255
    return solid(alpha, page)


def _spots(cover: Picture, rng: Rng) -> None:
    """A printed pattern: discs and bars of a few colours."""
    h, w = cover.shape[:2]
    colours = [tuple(int(v) for v in _bright(rng)) for _ in range(3)]
    for _ in range(int(rng.integers(4, 16))):
        at = (int(rng.integers(w)), int(rng.integers(h)))
        colour = colours[int(rng.integers(3))]
        if rng.random() < 0.6:
            cv2.circle(cover, at, int(rng.uniform(0.03, 0.2) * w), colour, -1, cv2.LINE_AA)
        else:
            end = (at[0] + int(rng.normal(0, 0.4 * w)), at[1] + int(rng.normal(0, 0.4 * h)))
            cv2.line(cover, at, end, colour, int(rng.integers(2, 16)), cv2.LINE_AA)


def _closed_notebook(rng: Rng) -> Cutout:
    h, w = LONG, int(LONG * rng.uniform(0.62, 0.82))
    colour = np.array(_bright(rng, 0.08, 0.9))
    cover = filled(h, w, colour)
    if rng.random() < 0.35:
        ink.picture_block(cover, rng)
    if rng.random() < 0.3:
        _spots(cover, rng)
    if rng.random() < 0.5:
        x, y = int(w * rng.uniform(0.15, 0.3)), int(h * rng.uniform(0.15, 0.4))
        x1, y1 = w - x, y + int(h * rng.uniform(0.1, 0.3))
        label = tuple(int(v) for v in _bright(rng, 0.6, 1.0))
        cv2.rectangle(cover, (x, y), (x1, y1), label, -1)
        cv2.putText(
            cover, "NOTES", (x + 6, y1 - 8), ink.FONTS[1], 0.8, (30, 30, 30), 2, cv2.LINE_AA
        )
    light = 1 + 0.06 * smooth_noise(rng, h, w, 3)
    if rng.random() < 0.5:
        _spiral(cover, rng, 8)
    else:
        light[:, : max(4, w // 18)] *= rng.uniform(0.6, 0.9)
    if rng.random() < 0.35:
        x = int(w * rng.uniform(0.82, 0.92))
        band = tuple(int(v) for v in _bright(rng, 0.05, 0.6))
        cv2.line(cover, (x, 0), (x, h), band, 5)
    cover = shaded(cover, light)
    thick = int(rng.integers(0, 9))
    cover[h - thick :, :] = (210, 225, 230)
    cover[:, w - thick // 2 :] = (190, 205, 215)
    alpha = np.zeros((h, w), np.uint8)
    cv2.rectangle(alpha, (3, 3), (w - 4, h - 4), 255, 5)
    alpha[3:-3, 3:-3] = 255
    return solid(alpha, cover)


def notebook(rng: Rng) -> Cutout:
    """A notebook: closed, open at two pages, or a wire-bound pad."""
    kind = rng.random()
    if kind < 0.5:
        return _closed_notebook(rng)
    return _open_notebook(rng) if kind < 0.75 else _pad(rng)


def pen(rng: Rng) -> Cutout:
    """A pen or pencil lying along x: barrel, grip, tip, cap or clip."""
    w, h = LONG, int(rng.uniform(14, 26))
    body, other = np.array(_bright(rng, 0.05, 1.0)), np.array(_bright(rng, 0.05, 1.0))
    picture = filled(h, w, body)
    cuts = np.sort(rng.integers(int(0.1 * w), int(0.9 * w), 2))
    if rng.random() < 0.6:
        picture[:, : cuts[0]] = np.clip(other, 0, 255)
    if rng.random() < 0.4:
        picture[:, cuts[1] :] = np.clip(other * 0.6, 0, 255)
    if rng.random() < 0.3:
        picture[:, cuts[0] : cuts[0] + 4] = 200
    across = np.linspace(-1, 1, h, dtype=np.float32)
    sheen = 0.55 + 0.6 * np.exp(-(((across + rng.uniform(0.1, 0.5)) / 0.35) ** 2))
    picture = shaded(picture, np.tile(sheen[:, None], (1, w)).astype(np.float32))
    tip = int(rng.uniform(0.05, 0.13) * w)
    half = np.full(w, h / 2 - 1)
    half[:tip] *= np.linspace(0.1, 0.85, tip)
    half[-4:] *= 0.8
    if rng.random() < 0.5:
        half[tip:] *= np.linspace(0.85, 1.0, w - tip)
    y = np.abs(np.arange(h) - (h - 1) / 2)[:, None]
    alpha = np.where(y <= half[None], 255, 0).astype(np.uint8)
    if rng.random() < 0.6:
        picture[:, :tip] = int(rng.integers(40, 220))
    if rng.random() < 0.6:
        clip = tuple(int(v) for v in _bright(rng, 0.5, 1.0))
        start = int(w * rng.uniform(0.65, 0.75))
        cv2.line(
            picture, (start, h // 3), (int(w * 0.97), h // 3), clip, max(2, h // 6), cv2.LINE_AA
        )
    return solid(alpha, picture)


def other(rng: Rng) -> Cutout:
    """Something flat that is none of our classes: mat, cloth, card, wallet, coaster, ruler."""
    ratio = rng.choice([0.12, 0.62, 0.8, 1.0], p=[0.15, 0.35, 0.25, 0.25])
    h, w = min(LONG, max(24, int(LONG * ratio * rng.uniform(0.9, 1.1)))), LONG
    if rng.random() < 0.25:
        h = w
    colour = np.array(_bright(rng, 0.08, 0.75))
    picture = filled(h, w, colour)
    if rng.random() < 0.4:
        stripes = (np.sin(np.arange(w) / rng.uniform(3, 20)) > 0)[None, :, None]
        picture = np.where(stripes, picture, np.uint8(colour[::-1] * 0.7)).astype(np.uint8)
    if rng.random() < 0.3:
        ink.picture_block(picture, rng)
    picture = shaded(picture, 1 + 0.12 * smooth_noise(rng, h, w, 5))
    alpha = np.zeros((h, w), np.uint8)
    if rng.random() < 0.35:
        cv2.ellipse(
            alpha, (w // 2, h // 2), (w // 2 - 2, h // 2 - 2), 0, 0, 360, 255, -1, cv2.LINE_AA
        )
    else:
        r = int(min(h, w) * rng.uniform(0.03, 0.2))
        cv2.rectangle(alpha, (r + 1, r + 1), (w - r - 2, h - r - 2), 255, -1)
        alpha = np.asarray(
            cv2.dilate(alpha, cv2.getStructuringElement(2, (2 * r + 1, 2 * r + 1))), np.uint8
        )
    return solid(alpha, picture)
