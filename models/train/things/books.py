"""Notebooks, books, magazines and stacks of them: all of one class."""

import cv2
import numpy as np

from models.train import ink
from models.train.picture import LONG, Cutout, Floats, Picture, Rng, filled, smooth_noise, solid
from models.train.things import pages
from models.train.things.paperware import paper_colour, waves
from models.train.things.shapes import bright, lit, neutral, overlay, pattern, rounded, wallpaper


def _spiral(picture: Picture, rng: Rng, x: int) -> None:
    """A wire binding down the column x: holes and rings."""
    h = picture.shape[0]
    step = int(rng.integers(8, 15))
    metal = int(rng.integers(30, 220))
    for y in range(step // 2, h, step):
        cv2.circle(picture, (x + 6, y), 2, (40, 40, 40), -1, cv2.LINE_AA)
        cv2.line(picture, (x - 5, y), (x + 6, y), (metal, metal, metal), 2, cv2.LINE_AA)


def _rim(rng: Rng, picture: Picture) -> Cutout:
    """Edges of the pages to the right and below, and the opacity."""
    h, w = picture.shape[:2]
    thick = int(rng.integers(0, 10))
    if thick > 2:
        for y in range(h - thick, h):
            picture[y] = neutral(rng, 170, 235)
        for x in range(w - thick // 2, w):
            picture[:, x] = neutral(rng, 160, 225)
    return solid(rounded(h, w, int(rng.integers(1, 14))), picture)


def _open(rng: Rng) -> Cutout:
    """Two pages beside each other: written or printed, with a gutter."""
    h, w = int(LONG * 1.2 * rng.uniform(0.62, 0.8)), int(LONG * 1.2)
    page = filled(h, w, paper_colour(rng))
    printed = rng.random() < 0.45
    if not printed and rng.random() < 0.85:
        ink.rules(page, rng)
    step, kind = rng.uniform(0.018, 0.04) * h, ink.print_kind(rng)
    for left, right in ((0.05, 0.46), (0.54, 0.95)):
        box = (left, 0.08, right, rng.uniform(0.4, 0.95))
        if printed:
            ink.lines(page, rng, ink.clipped(page, box), step=step, kind=kind)
            if rng.random() < 0.25:
                at = (left, 0.1, right, rng.uniform(0.3, 0.6))
                ink.photograph(page, rng, ink.clipped(page, at))
        elif rng.random() < 0.6:
            ink.handwriting(page, rng, box)
    across = np.abs(np.linspace(-1, 1, w, dtype=np.float32))
    gutter = 1 - rng.uniform(0.25, 0.5) * np.exp(-((across / 0.06) ** 2))
    light = (gutter * (0.94 + 0.06 * across))[None] * (1 + 0.03 * smooth_noise(rng, h, w, 3))
    page = lit(page, np.asarray(light, np.float32))
    if rng.random() < 0.35:
        _spiral(page, rng, w // 2)
    cv2.rectangle(page, (2, 2), (w - 3, h - 3), bright(rng, 0.1, 0.7), int(rng.integers(2, 6)))
    for x in range(3, int(rng.integers(4, 12)), 2):
        cv2.line(page, (w - x, 3), (w - x, h - 4), (150, 160, 165), 1)
    return _bulging(rng, solid(rounded(h, w, 4), page))


def _bulging(rng: Rng, spread: Cutout) -> Cutout:
    """Let both pages rise beside the gutter, as one sees it from the reader's seat."""
    h, w = spread.shape[:2]
    height = rng.uniform(0.0, 0.07) * h
    room = int(np.ceil(height))
    across = np.abs(np.linspace(-1, 1, w, dtype=np.float32))
    rise = height * np.sin(np.pi * np.sqrt(across)) * (1 - 0.4 * across)
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h + room, dtype=np.float32))
    source = np.asarray(y - room + rise[None], np.float32)
    return np.asarray(cv2.remap(spread, x, source, cv2.INTER_LINEAR), np.uint8)


def _booklet(rng: Rng) -> Cutout:
    """A stapled booklet that lies open: two pages as sheets have them, and a faint fold."""
    h, w = LONG, int(LONG * rng.uniform(0.64, 0.78))
    colour = paper_colour(rng)
    halves = filled(h, w, colour), filled(h, w, colour)
    for half in halves:
        pages.fill(half, rng)
    across = np.abs(np.linspace(-1, 1, 2 * w, dtype=np.float32))
    fold = 1 - rng.uniform(0.05, 0.35) * np.exp(-((across / rng.uniform(0.01, 0.06)) ** 2))
    light = fold[None] * (1 + 0.03 * smooth_noise(rng, h, 2 * w, 3))
    return _rim(rng, lit(np.ascontiguousarray(np.hstack(halves)), np.asarray(light, np.float32)))


def _pad(rng: Rng) -> Cutout:
    """A pad open at one page: ruled, hand-written, with its wire along a side or the top."""
    h, w = LONG, int(LONG * rng.uniform(0.64, 0.8))
    page = filled(h, w, paper_colour(rng))
    ink.rules(page, rng)
    if rng.random() < 0.6:
        ink.handwriting(page, rng, (0.15, 0.05, 0.95, rng.uniform(0.3, 0.9)))
    page = lit(page, waves(rng, h, w, 0.03))
    _spiral(page, rng, 7)
    if rng.random() < 0.5:
        page = np.ascontiguousarray(np.rot90(page))
    return _rim(rng, page)


def _cover_light(rng: Rng, h: int, w: int) -> Floats:
    light = 1 + 0.06 * smooth_noise(rng, h, w, 3)
    if rng.random() < 0.6:
        hinge = int(w * rng.uniform(0.03, 0.08))
        light[:, hinge : hinge + 3] *= rng.uniform(0.6, 0.85)
        light[:, :hinge] *= rng.uniform(0.85, 1.1)
    return np.asarray(light, np.float32)


def _closed(rng: Rng) -> Cutout:
    """A notebook's plain or patterned cover with a label, an elastic band or a wire."""
    h, w = LONG, int(LONG * rng.uniform(0.62, 0.82))
    dark = rng.random() < 0.35
    cover = filled(h, w, neutral(rng, 15, 60) if dark else bright(rng, 0.1, 0.9))
    if rng.random() < 0.35:
        cover = pattern(rng, h, w)
    if rng.random() < 0.5:
        x, y = int(w * rng.uniform(0.15, 0.3)), int(h * rng.uniform(0.15, 0.4))
        x1, y1 = w - x, y + int(h * rng.uniform(0.1, 0.25))
        cv2.rectangle(cover, (x, y), (x1, y1), bright(rng, 0.6, 1.0), -1)
        title = (x + 8, y + 6, x1 - 6, y + 6 + (y1 - y) // 2)
        ink.heading(cover, rng, title, (30, 30, 30), kind=1)
    if rng.random() < 0.3:
        x = int(w * rng.uniform(0.82, 0.92))
        cv2.line(cover, (x, 0), (x, h), bright(rng, 0.05, 0.6), 5)
    cover = lit(cover, _cover_light(rng, h, w))
    if rng.random() < 0.4:
        _spiral(cover, rng, 8)
    return _rim(rng, cover)


def _book(rng: Rng) -> Cutout:
    """A book's or a magazine's cover: a picture or plain colour, title, author, small print."""
    h, w = LONG, int(LONG * rng.uniform(0.6, 0.8))
    magazine = rng.random() < 0.35
    base = bright(rng, 0.1, 0.95)
    cover = filled(h, w, base)
    if magazine:
        cover = wallpaper(rng, h, w, 5)
    elif rng.random() < 0.5:
        top = rng.uniform(0.25, 0.45)
        ink.photograph(cover, rng, ink.clipped(cover, (0.0, top, 1.0, rng.uniform(0.7, 1.0))))
    pale = float(np.mean(base)) < 130
    tone = neutral(rng, 225, 255) if pale else neutral(rng, 10, 60)
    y, high = rng.uniform(0.04, 0.15), rng.uniform(0.06, 0.13)
    for _ in range(int(rng.integers(1, 3))):
        title = (0.1, y, rng.uniform(0.6, 0.92), y + high)
        ink.heading(cover, rng, ink.clipped(cover, title), tone)
        y += high + 0.02
    author = (0.2, 0.88, 0.8, 0.93)
    ink.heading(cover, rng, ink.clipped(cover, author), tone)
    if magazine:
        for _ in range(int(rng.integers(1, 4))):
            left, top = rng.choice([0.06, 0.6]), rng.uniform(0.3, 0.8)
            at = ink.clipped(cover, (left, top, left + 0.33, top + rng.uniform(0.06, 0.14)))
            ink.lines(cover, rng, at, step=0.035 * h, kind=1, ink=tone, justified=False)
    cover = lit(cover, _cover_light(rng, h, w))
    return _rim(rng, cover)


def _pile(rng: Rng) -> Cutout:
    """Two or three books on each other, turned a little, the smallest on top."""
    side = LONG + 60
    out = np.zeros((side, side, 4), np.uint8)
    size = 1.0
    for _ in range(int(rng.integers(2, 4))):
        book = _book(rng) if rng.random() < 0.6 else _closed(rng)
        h, w = book.shape[:2]
        turned = cv2.getRotationMatrix2D((w / 2, h / 2), rng.normal(0, 7), size)
        matrix = np.asarray(turned, np.float64)
        matrix[:, 2] += np.array([side - w, side - h]) / 2 + rng.normal(0, 8, 2)
        laid = np.asarray(cv2.warpAffine(book, matrix, (side, side)), np.uint8)
        colour = np.asarray(cv2.cvtColor(laid, cv2.COLOR_BGRA2BGR), np.uint8)
        overlay(out, np.ascontiguousarray(laid[..., 3]), colour, 0.45, 19)
        size *= rng.uniform(0.75, 0.95)
    x, y, w, h = cv2.boundingRect(out[..., 3])
    return np.ascontiguousarray(out[y : y + h, x : x + w])


def notebook(rng: Rng) -> Cutout:
    """A notebook or book: closed, open at two pages, a booklet, a wire-bound pad, or a pile."""
    draws = (_closed, _book, _open, _booklet, _pad, _pile)
    kind = int(rng.choice(len(draws), p=[0.2, 0.2, 0.24, 0.14, 0.16, 0.06]))
    return draws[kind](rng)
