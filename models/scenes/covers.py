"""Pictures of covers: textbooks, novels, magazines, exercise books, diaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from models.scenes.documents import pen_ink
from models.scenes.textures import canvas, cloth, gradient, rgb
from models.scenes.thing import BRIGHTS, DARKS, LEATHERS, LIGHTS, Picture, pick
from models.scenes.wording import BOLD, handwriting, paragraph, person_name, put, title

Rng = np.random.Generator
_SIZE: Final = (420, 594)


def _contrast(picture: Picture) -> tuple[int, int, int]:
    return (245, 245, 240) if picture.mean() < 140 else (28, 28, 34)


def _blobs(front: Picture, rng: Rng, box: tuple[int, int, int, int]) -> None:
    """Draw overlapping round and square patches: an illustration seen from afar."""
    x1, y1, x2, y2 = box
    view = front[y1:y2, x1:x2]
    view[:] = gradient(rng, x2 - x1, y2 - y1)
    for _ in range(int(rng.integers(2, 12))):
        x, y = int(rng.integers(x2 - x1)), int(rng.integers(y2 - y1))
        color, side = rgb(pick(rng, BRIGHTS, LIGHTS, DARKS)), int(rng.integers(15, 120))
        if rng.random() < 0.6:
            cv2.ellipse(view, (x, y), (side, side * 2 // 3), 30, 0, 360, color, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(view, (x, y), (x + side, y + side), color, -1)


def _textbook(rng: Rng) -> Picture:
    width, height = _SIZE
    front = canvas(width, height, pick(rng, BRIGHTS, DARKS, LIGHTS))
    top = int(height * rng.uniform(0.3, 0.5))
    _blobs(front, rng, (0, top, width, int(height * rng.uniform(0.75, 1.0))))
    ink = _contrast(front[:top])
    for row, text in enumerate((title(rng, 1, 2)[:14], title(rng, 1, 2)[:14])):
        put(front, text, (30, 90 + 60 * row), float(rng.uniform(1.2, 1.9)), ink, font=BOLD)
    put(front, person_name(rng), (30, 40), 0.7, ink)
    put(front, f"{rng.integers(1, 9)}th edition", (30, height - 24), 0.6, ink)
    return front


def _novel(rng: Rng) -> Picture:
    width, height = _SIZE
    front = gradient(rng, width, height)
    if rng.random() < 0.6:
        _blobs(front, rng, (0, 0, width, height))
    ink = _contrast(front)
    y = int(height * rng.uniform(0.2, 0.6))
    put(front, title(rng, 1, 1), (40, y), 2.2, ink, font=BOLD)
    put(front, title(rng, 1, 2)[:14], (40, y + 70), 1.5, ink, font=BOLD)
    put(front, person_name(rng).upper(), (40, height - 50), 1.0, ink)
    return front


def _magazine(rng: Rng) -> Picture:
    width, height = _SIZE
    front = canvas(width, height, (1, 1, 1))
    _blobs(front, rng, (0, 0, width, height))
    skin = rgb(pick(rng, ((0.88, 0.7, 0.6), (0.6, 0.4, 0.3), (0.35, 0.22, 0.15))))
    shirt = rgb(pick(rng, BRIGHTS, DARKS))
    cv2.ellipse(front, (width // 2, height), (170, 200), 0, 180, 360, shirt, -1, cv2.LINE_AA)
    cv2.ellipse(front, (width // 2, height // 2 + 20), (75, 100), 0, 0, 360, skin, -1, cv2.LINE_AA)
    ink = rgb(pick(rng, BRIGHTS, LIGHTS))
    put(front, title(rng, 1, 1).upper()[:8], (14, 92), 2.9, ink, font=BOLD)
    for y in range(180, height - 60, int(rng.integers(70, 140))):
        x = int(rng.choice([14, width - 150]))
        put(front, title(rng, 2, 2)[:14], (x, y), 0.75, (250, 250, 250), font=BOLD)
        paragraph(front, rng, (x, y + 4, x + 135, y + 50), 0.42, (240, 240, 240))
    return front


def _exercise(rng: Rng) -> Picture:
    width, height = _SIZE
    front = canvas(width, height, pick(rng, BRIGHTS, LIGHTS))
    if rng.random() < 0.35:
        noise = rng.random((height // 6, width // 6)).astype(np.float32)
        marble = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        front[:] = np.where(marble[..., None] > 0.5, 235, 20).astype(np.uint8)
    x1, y1 = width // 5, height // 6
    cv2.rectangle(front, (x1, y1), (width - x1, y1 + 130), (246, 246, 240), -1)
    cv2.rectangle(front, (x1 + 4, y1 + 4), (width - x1 - 4, y1 + 126), (60, 60, 70), 2)
    for y in (50, 80, 110):
        cv2.line(front, (x1 + 16, y1 + y), (width - x1 - 16, y1 + y), (150, 150, 160), 1)
    if rng.random() < 0.7:
        box = (x1 + 18, y1 + 16, width - x1 - 18, y1 + 112)
        handwriting(front, rng, box, pen_ink(rng), 0.7, step=30)
    return front


def _diary(rng: Rng) -> Picture:
    width, height = _SIZE
    front = canvas(width, height, pick(rng, DARKS, DARKS, LEATHERS, BRIGHTS))
    grain = rng.normal(1, 0.05, (height // 2, width // 2, 1)).astype(np.float32)
    front[:] = np.clip(front * cv2.resize(grain, (width, height))[..., None], 0, 255)
    ink = rgb(pick(rng, ((0.8, 0.68, 0.4), (0.7, 0.7, 0.72))))
    if rng.random() < 0.4:
        cv2.rectangle(front, (24, 24), (width - 24, height - 24), ink, 2)
    if rng.random() < 0.4:
        put(front, f"202{rng.integers(0, 9)}", (width // 3, height // 2), 1.5, ink, font=BOLD)
    return front


def _patterned(rng: Rng) -> Picture:
    width, height = _SIZE
    cover = cv2.resize(np.tile(cloth(rng), (3, 2, 1))[:, :512], (width, height))
    front = np.asarray(cover, dtype=np.uint8)
    if rng.random() < 0.5:
        band = int(height * rng.uniform(0.2, 0.7))
        front[band : band + 90] = rgb(pick(rng, LIGHTS, DARKS))
        put(front, title(rng, 1, 2)[:14], (40, band + 58), 1.2, _contrast(front[band : band + 90]))
    return front


_KINDS: Final[tuple[Callable[[Rng], Picture], ...]] = (
    _textbook,
    _novel,
    _magazine,
    _exercise,
    _diary,
    _diary,
    _patterned,
)


def book_cover(rng: Rng) -> Picture:
    """Return the front of a notebook, book or magazine, 420 x 594 pixels."""
    return _KINDS[int(rng.integers(len(_KINDS)))](rng)


def magazine_cover(rng: Rng) -> Picture:
    """Return the front of a magazine, 420 x 594 pixels."""
    return _magazine(rng)


def spine(rng: Rng, front: Picture) -> Picture:
    """Return the back edge that goes with a front, title along it, 64 x 594 pixels."""
    edge = tuple(int(c) for c in front[6, 6])
    back = np.full((64, 594, 3), edge, np.uint8)
    ink = _contrast(back)
    put(back, title(rng, 1, 3)[:22], (60, 42), 1.1, ink, font=BOLD)
    put(back, person_name(rng)[:10], (440, 40), 0.7, ink)
    return np.ascontiguousarray(np.rot90(back, -1))
