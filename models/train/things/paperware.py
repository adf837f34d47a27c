"""Loose sheets and sticky notes."""

import cv2
import numpy as np

from models.train import ink
from models.train.picture import Cutout, Floats, Picture, Rng, filled, smooth_noise, solid
from models.train.things import pages
from models.train.things.shapes import Alpha, bright, lit, overlay

SHEET = 448  # longest side of a sheet, pixels: small print stays legible in close views


def paper_colour(rng: Rng) -> ink.Colour:
    """Mostly white; also cream, recycled grey, and pastel."""
    kind = rng.random()
    if kind < 0.68:
        v = int(rng.integers(228, 256))
        return v - int(rng.integers(0, 8)), v - int(rng.integers(0, 5)), v
    if kind < 0.84:
        return int(rng.integers(195, 228)), int(rng.integers(225, 245)), int(rng.integers(235, 252))
    if kind < 0.93:
        v = int(rng.integers(195, 228))
        return v - int(rng.integers(0, 14)), v, v
    return int(rng.integers(180, 250)), int(rng.integers(195, 245)), int(rng.integers(185, 250))


def _shape(rng: Rng) -> tuple[int, int]:
    """Height and width of a sheet: A sizes, letter, legal, strips."""
    ratio = rng.choice([0.707, 0.773, 0.647, 1.0], p=[0.62, 0.25, 0.09, 0.04])
    return SHEET, int(SHEET * ratio * rng.uniform(0.98, 1.02))


def waves(rng: Rng, h: int, w: int, strength: float) -> Floats:
    """Light on a sheet that does not lie quite flat: soft waves and up to three folds."""
    light = 1 + strength * smooth_noise(rng, h, w, int(rng.integers(3, 5)))
    for _ in range(int(rng.choice(4, p=[0.55, 0.2, 0.17, 0.08]))):
        across = rng.random() < 0.6
        length = h if across else w
        at = int(rng.choice([1 / 3, 1 / 2, 2 / 3, rng.uniform(0.2, 0.8)]) * length)
        side = np.ones(length, np.float32)
        side[at:] -= rng.uniform(-0.06, 0.1)
        side[at : at + 2] *= rng.choice([0.82, 1.12])
        light = light * (side[:, None] if across else side[None])
    return np.asarray(light, np.float32)


def _crumple(rng: Rng, h: int, w: int) -> Floats:
    """Facets of a sheet that was crushed and smoothed again."""
    small = (h // 3, w // 3)
    y, x = np.mgrid[0 : small[0], 0 : small[1]].astype(np.float32)
    light = np.ones(small, np.float32)
    for _ in range(int(rng.integers(8, 22))):
        a, b = rng.uniform(-1, 1, 2)
        c = a * rng.uniform(0, small[1]) + b * rng.uniform(0, small[0])
        light += rng.uniform(-0.06, 0.06) * np.sign(a * x + b * y - c).astype(np.float32)
    soft = cv2.GaussianBlur(light, (0, 0), 0.8)
    return np.asarray(cv2.resize(soft, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def _outline(rng: Rng, h: int, w: int, dent: float) -> Alpha:
    """Opacity of a sheet: a rectangle whose edges wave a little."""
    n = 12
    edge = np.linspace(0.0, 1.0, n)
    wave = np.abs(rng.normal(0, dent, (4, n)))
    if rng.random() < 0.05:
        torn = int(rng.integers(4))
        wave[torn] = np.abs(rng.normal(0.01, 0.012, n)) + 0.02
    top = np.stack([edge * w, wave[0] * h + 1], -1)
    right = np.stack([w - 2 - wave[1] * w, edge * h], -1)
    bottom = np.stack([edge[::-1] * w, h - 2 - wave[2] * h], -1)
    left = np.stack([wave[3] * w + 1, edge[::-1] * h], -1)
    alpha = np.zeros((h, w), np.uint8)
    outline = np.concatenate([top, right[1:-1], bottom, left[1:-1]]).astype(np.int32)
    cv2.fillPoly(alpha, [outline], 255, cv2.LINE_AA)
    return alpha


def _curl(page: Picture, alpha: Alpha, rng: Rng, low: float, high: float) -> None:
    """Turn one corner over: the back of the sheet shows as a lighter triangle with a shadow."""
    h, w = alpha.shape
    cx, cy = int(rng.integers(2)), int(rng.integers(2))
    corner = np.array([cx * (w - 1), cy * (h - 1)], np.float64)
    reach = rng.uniform(low, high, 2) * w
    a = corner + np.array([reach[0] * (1 - 2 * cx), 0])
    b = corner + np.array([0, reach[1] * (1 - 2 * cy)])
    along = (b - a) / np.linalg.norm(b - a)
    foot = a + along * np.dot(corner - a, along)
    over = corner + (foot - corner) * rng.uniform(1.5, 2.0)
    dark = np.zeros((h, w), np.uint8)
    shade = over + (over - foot) * 0.25
    cv2.fillPoly(dark, [np.stack([a, b, shade]).astype(np.int32)], 255)
    soft = cv2.GaussianBlur(dark, (0, 0), 4).astype(np.float32) / 255
    page[:] = lit(page, np.asarray(1 - 0.4 * soft, np.float32))
    back = np.median(page[h // 2 : h // 2 + 9, : w // 3], axis=(0, 1)) + rng.uniform(0, 12)
    tone = tuple(int(v) for v in np.clip(back + rng.integers(-12, 14), 0, 255))
    cv2.fillPoly(page, [np.stack([a, b, over]).astype(np.int32)], tone, cv2.LINE_AA)
    deep = tuple(int(v * 0.86) for v in tone)
    near = foot + (over - foot) * 0.3
    cv2.fillPoly(page, [np.stack([a, b, near]).astype(np.int32)], deep, cv2.LINE_AA)
    cv2.fillPoly(alpha, [np.stack([a, b, corner]).astype(np.int32)], 0)


def _sheet(rng: Rng, h: int, w: int) -> Cutout:
    page = filled(h, w, paper_colour(rng))
    turned = rng.random() < 0.12
    if turned:
        page = filled(w, h, page[0, 0])
    if max(h, w) / min(h, w) > 1.75:
        pages.receipt(page, rng)
    else:
        pages.fill(page, rng)
    if turned:
        page = np.ascontiguousarray(np.rot90(page))
    crumpled = rng.random() < 0.12
    light = waves(rng, h, w, rng.uniform(0.01, 0.07))
    if crumpled:
        light = light * _crumple(rng, h, w)
    alpha = _outline(rng, h, w, rng.uniform(0.003, 0.015) if crumpled else 0.0015)
    page = lit(page, light)
    if rng.random() < 0.14:
        _curl(page, alpha, rng, 0.08, 0.3)
    return solid(alpha, page)


def _stack(rng: Rng, top: Cutout) -> Cutout:
    """Sheets that lie almost exactly on each other: their edges look out below."""
    room = 14
    h, w = top.shape[0] + 2 * room, top.shape[1] + 2 * room
    out = np.zeros((h, w, 4), np.uint8)
    sheets = int(rng.integers(1, 4))
    for n in range(sheets + 1):
        shift = room + rng.uniform(-8, 8, 2) * (n < sheets)
        turned = cv2.getRotationMatrix2D((w / 2, h / 2), rng.normal(0, 1.2), 1.0)
        matrix = np.asarray(turned, np.float64)
        matrix[:, 2] += shift
        laid = np.asarray(cv2.warpAffine(cv2.extractChannel(top, 3), matrix, (w, h)), np.uint8)
        if n < sheets:
            page = filled(h, w, paper_colour(rng))
        else:
            colour = cv2.cvtColor(top, cv2.COLOR_BGRA2BGR)
            page = np.asarray(cv2.warpAffine(colour, matrix, (w, h)), np.uint8)
        overlay(out, laid, page, 0.25, 11)
    return out


def paper(rng: Rng) -> Cutout:
    """A loose sheet or a few: printed, written on or blank; flat, folded, curled or crumpled."""
    kind = rng.random()
    if kind < 0.07:
        return _sheet(rng, SHEET, int(SHEET * rng.uniform(0.22, 0.5)))
    sheet = _sheet(rng, *_shape(rng))
    return _stack(rng, sheet) if kind > 0.9 else sheet


def sticky_note(rng: Rng) -> Cutout:
    """One sticky note or a block of them; glued along one side, the other lifts a little."""
    h = w = 200
    if rng.random() < 0.15:
        h = int(w * rng.uniform(0.35, 0.75))
    colours = ((120, 240, 255), (90, 220, 250), (180, 150, 255), (170, 235, 170), (240, 210, 150))
    base = np.array(colours[int(rng.choice(5, p=[0.36, 0.14, 0.2, 0.16, 0.14]))])
    if rng.random() < 0.15:
        base = np.array(bright(rng, 0.75, 1.0))
    page = filled(h, w, base + rng.normal(0, 10, 3))
    if rng.random() < 0.72:
        text = (0.08, rng.uniform(0.05, 0.3), rng.uniform(0.6, 0.97), rng.uniform(0.5, 0.97))
        ink.handwriting(page, rng, text, (0.09, 0.24))
    light = np.tile(np.linspace(1.0, rng.uniform(0.78, 1.1), h, dtype=np.float32)[:, None], (1, w))
    light[-max(3, h // 14) :] *= rng.uniform(0.75, 1.12)
    page = lit(page, light * (1 + 0.03 * smooth_noise(rng, h, w, 3)))
    alpha = _outline(rng, h, w, 0.002)
    if rng.random() < 0.3:
        _curl(page, alpha, rng, 0.1, 0.3)
    if rng.random() < 0.2:
        edge = int(rng.integers(4, 14))
        page[h - edge :] = (page[h - edge :] * 0.75).astype(np.uint8)
        page[h - edge :: 2] = (page[h - edge :: 2] * 0.88).astype(np.uint8)
    return solid(alpha, page)
