"""What stands on a page: printed lines, tables, handwriting. All drawn, nothing copied."""

import string
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from models.train.picture import Picture, Rng

FONTS: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
INKS: Final = ((40, 40, 40), (20, 20, 20), (90, 60, 40), (140, 60, 20), (70, 70, 70))  # BGR


def _words(rng: Rng, letters: int) -> str:
    text = "".join(rng.choice(list(string.ascii_letters), letters))
    for _ in range(letters // 5):
        at = int(rng.integers(1, letters))
        text = text[:at] + " " + text[at + 1 :]
    return text


def print_lines(page: Picture, rng: Rng, top: float = 0.08) -> None:
    """A printed text with paragraphs and, now and then, a heading."""
    h, w = page.shape[:2]
    margin = rng.uniform(0.06, 0.14) * w
    step = rng.uniform(0.018, 0.036) * h
    font, scale = FONTS[int(rng.integers(len(FONTS)))], step / 34
    ink = INKS[int(rng.integers(len(INKS)))]
    y = top * h + step
    if rng.random() < 0.5:
        cv2.putText(
            page, _words(rng, 14), (int(margin), int(y)), font, scale * 2, ink, 2, cv2.LINE_AA
        )
        y += step * 2.5
    end = rng.uniform(0.45, 0.95) * h
    while y < end:
        if rng.random() < 0.12:
            y += step * 0.8
        length = 0.5 if rng.random() < 0.15 else 1.0
        room = (w - 2 * margin) * length * rng.uniform(0.85, 1.0)
        letters = max(4, int(room / (18 * scale)))
        text = _words(rng, letters)
        cv2.putText(page, text, (int(margin), int(y)), font, scale, ink, 1, cv2.LINE_AA)
        y += step


def table(page: Picture, rng: Rng) -> None:
    """A ruled table with numbers."""
    h, w = page.shape[:2]
    x0, x1 = int(0.1 * w), int(0.9 * w)
    y0, rows, cols = (
        int(rng.uniform(0.1, 0.5) * h),
        int(rng.integers(4, 12)),
        int(rng.integers(2, 6)),
    )
    step = int(rng.uniform(0.025, 0.045) * h)
    ink = INKS[int(rng.integers(len(INKS)))]
    for r in range(rows + 1):
        cv2.line(page, (x0, y0 + r * step), (x1, y0 + r * step), ink, 1, cv2.LINE_AA)
    for c in range(cols + 1):
        x = x0 + (x1 - x0) * c // cols
        cv2.line(page, (x, y0), (x, y0 + rows * step), ink, 1, cv2.LINE_AA)
        for r in range(rows):
            if c < cols and rng.random() < 0.8:
                text = str(rng.integers(1, 99999))
                at = (x + 4, y0 + (r + 1) * step - step // 4)
                cv2.putText(
                    page, text, at, cv2.FONT_HERSHEY_SIMPLEX, step / 42, ink, 1, cv2.LINE_AA
                )


def handwriting(page: Picture, rng: Rng, box: tuple[float, float, float, float]) -> None:
    """Pen strokes along lines within a box of fractions (left, top, right, bottom)."""
    h, w = page.shape[:2]
    x0, y0, x1, y1 = box[0] * w, box[1] * h, box[2] * w, box[3] * h
    step = rng.uniform(0.04, 0.075) * h
    ink = (int(rng.integers(40, 200)), int(rng.integers(20, 70)), int(rng.integers(10, 60)))
    y = y0 + step
    while y < y1:
        x = x0
        end = x0 + (x1 - x0) * rng.uniform(0.4, 1.0)
        while x < end:
            n = int(rng.integers(8, 30))
            xs = x + np.cumsum(rng.uniform(0.0, step * 0.16, n))
            ys = y + rng.normal(0, step * 0.16, n)
            path = np.stack([xs, ys], -1).astype(np.int32)
            cv2.polylines(
                page, [path], isClosed=False, color=ink, thickness=1, lineType=cv2.LINE_AA
            )
            x = float(xs[-1]) + step * rng.uniform(0.15, 0.4)
        y += step * rng.uniform(0.9, 1.3)


def picture_block(page: Picture, rng: Rng) -> None:
    """A coloured figure, photograph or logo."""
    h, w = page.shape[:2]
    bw, bh = int(rng.uniform(0.15, 0.8) * w), int(rng.uniform(0.06, 0.3) * h)
    x, y = int(rng.uniform(0.05 * w, 0.95 * w - bw)), int(rng.uniform(0.03, 0.6) * h)
    small = rng.integers(30, 230, (3, 4, 3)).astype(np.uint8)
    page[y : y + bh, x : x + bw] = cv2.resize(small, (bw, bh), interpolation=cv2.INTER_CUBIC)


def rules(page: Picture, rng: Rng) -> None:
    """Ruled lines, squares or dots of writing paper."""
    h, w = page.shape[:2]
    step = int(rng.uniform(0.025, 0.05) * h)
    ink = tuple(int(v) for v in rng.integers(150, 215, 3))
    kind = rng.random()
    for y in range(step, h, step):
        cv2.line(page, (0, y), (w, y), ink, 1)
    if kind < 0.35:
        for x in range(step, w, step):
            cv2.line(page, (x, 0), (x, h), ink, 1)
    elif kind < 0.6:
        cv2.line(page, (int(0.12 * w), 0), (int(0.12 * w), h), (150, 150, 230), 1)


def fill_page(page: Picture, rng: Rng) -> None:
    """Put a random content on a blank page, in place."""
    kinds: list[tuple[float, Callable[[], None]]] = [
        (0.62, lambda: print_lines(page, rng)),
        (0.25, lambda: table(page, rng)),
        (0.25, lambda: picture_block(page, rng)),
        (0.3, lambda: handwriting(page, rng, (0.1, 0.1, 0.9, rng.uniform(0.4, 0.95)))),
    ]
    if rng.random() < 0.2:
        rules(page, rng)
    for chance, draw in kinds:
        if rng.random() < chance:
            draw()
