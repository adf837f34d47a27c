"""Pictures of sheets: letters, invoices, forms, reports, articles, lists, tests and notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from models.scenes.textures import canvas, chart, gradient, rgb, scribble
from models.scenes.thing import BRIGHTS, DARKS, Color, Picture, pick
from models.scenes.wording import (
    BOLD,
    REGULAR,
    Box,
    Ink,
    amount,
    company,
    date,
    handwriting,
    paragraph,
    paragraphs,
    person_name,
    put,
    title,
    words,
)

Rng = np.random.Generator
#: Pixels of an A4 sheet at 75 dpi.
A4: Final = (620, 877)
_PENS: Final[tuple[Color, ...]] = (
    (0.1, 0.15, 0.5),
    (0.05, 0.05, 0.08),
    (0.5, 0.1, 0.1),
    (0.25, 0.25, 0.27),
)


def pen_ink(rng: Rng) -> Ink:
    """Return a pen's or a pencil's colour."""
    return rgb(pick(rng, _PENS))


def _print_ink(rng: Rng) -> Ink:
    shade = int(rng.choice([10, 20, 35, 60]))
    return (shade, shade, shade + 4)


def _letterhead(page: Picture, rng: Rng, margin: int, ink: Ink) -> int:
    """Draw logo, name and address; return the y below."""
    width = page.shape[1]
    brand = rgb(pick(rng, BRIGHTS, DARKS))
    top, side = margin, int(width * 0.09)
    left = margin if rng.random() < 0.6 else width - margin - side * 4
    shape = rng.integers(3)
    if shape == 0:
        cv2.rectangle(page, (left, top), (left + side, top + side), brand, -1)
    elif shape == 1:
        cv2.circle(page, (left + side // 2, top + side // 2), side // 2, brand, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(page, (0, 0), (width, int(margin * 0.6)), brand, -1)
    put(page, company(rng), (left + side + 10, top + side * 2 // 3), 0.62, brand, font=BOLD)
    for row in range(4):
        put(page, words(rng, 2), (width - margin - 110, top + 10 + 12 * row), 0.27, ink)
    return top + side + 24


def _letter(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> None:
    x1, y1, x2, y2 = box
    y = _letterhead(page, rng, y1, ink)
    for _ in range(3):
        y += int(34 * size)
        put(page, person_name(rng), (x1, y), size, ink)
    put(page, date(rng), (x2 - 90, y), size, ink)
    y += int(90 * size)
    put(page, title(rng, 3, 6)[:44], (x1, y), size * 1.1, ink, font=BOLD)
    bottom = int(y + (y2 - y) * rng.uniform(0.35, 0.9))
    paragraphs(page, rng, (x1, y + 8, x2, bottom), size, ink)
    if rng.random() < 0.7:
        scribble(page, rng, (x1, bottom, x1 + 130, min(y2, bottom + 50)), pen_ink(rng))


def _rows(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> int:
    """Draw a table of words and sums; return the y below."""
    x1, y1, x2, y2 = box
    step = int(rng.integers(int(44 * size), int(80 * size)))
    columns = [x1, *(int(x1 + (x2 - x1) * s) for s in (0.45, 0.65, 0.82))]
    shade = rgb(pick(rng, BRIGHTS, DARKS))
    filled, lined, banded = rng.random() < 0.5, rng.random() < 0.6, rng.random() < 0.35
    if filled:
        cv2.rectangle(page, (x1, y1), (x2, y1 + step), shade, -1)
    y = y1
    while y + step < y2:
        first = y == y1
        if banded and ((y - y1) // step) % 2 == 1:
            cv2.rectangle(page, (x1, y), (x2, y + step), (226, 230, 236), -1)
        for number, x in enumerate(columns):
            text = words(rng, 1 if first else 2) if number == 0 or first else amount(rng)
            color = (250, 250, 250) if first and filled else ink
            put(
                page,
                text[:18],
                (x + 5, y + int(step * 0.7)),
                size,
                color,
                font=BOLD if first else REGULAR,
            )
        y += step
        if lined:
            cv2.line(page, (x1, y), (x2, y), ink, 1)
    if lined and rng.random() < 0.6:
        for x in (*columns, x2):
            cv2.line(page, (x, y1), (x, y), ink, 1)
        cv2.line(page, (x1, y1), (x2, y1), ink, 1)
    return y


def _invoice(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> None:
    x1, y1, x2, y2 = box
    y = _letterhead(page, rng, y1, ink) + 30
    kind = str(rng.choice(["INVOICE", "Statement", "Order", "Payslip"]))
    put(page, kind, (x1, y), 0.8, ink, font=BOLD)
    put(page, f"No. {rng.integers(10**6)}  {date(rng)}", (x1, y + 26), size, ink)
    below = _rows(page, rng, (x1, y + 45, x2, int(y2 * rng.uniform(0.55, 0.85))), size, ink)
    put(page, f"Total {amount(rng)}", (x2 - 140, below + 30), size * 1.2, ink, font=BOLD)
    paragraph(page, rng, (x1, min(y2 - 40, below + 45), x2, y2), size * 0.85, ink)


def _form(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> None:
    x1, y, x2, y2 = box
    put(page, title(rng, 2, 4)[:30], (x1, y + 18), 0.75, ink, font=BOLD)
    y += 36
    pen, filled = pen_ink(rng), rng.random() < 0.6
    while y < y2 - 40:
        kind = rng.random()
        if kind < 0.5:
            half = x2 if rng.random() < 0.4 else (x1 + x2) // 2 - 8
            for left, right in ((x1, half), (half + 16, x2))[: 1 if half == x2 else 2]:
                put(page, words(rng, 1).title(), (left, y + 10), size * 0.8, ink)
                cv2.rectangle(page, (left, y + 14), (right, y + 38), ink, 1)
                if filled and right - left > 60:
                    handwriting(page, rng, (left + 6, y + 10, right - 8, y + 37), pen, 0.5, step=24)
            y += 50
        elif kind < 0.8:
            for n in range(int(rng.integers(2, 5))):
                cv2.rectangle(page, (x1, y + 4), (x1 + 11, y + 15), ink, 1)
                if filled and rng.random() < 0.5:
                    cv2.line(page, (x1 + 1, y + 5), (x1 + 12, y + 14), pen, 2)
                put(page, words(rng, 3 + n % 3), (x1 + 20, y + 14), size, ink)
                y += 22
        else:
            y = paragraph(page, rng, (x1, y, x2, min(y2, y + 60)), size * 0.85, ink) + 10


def _report(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> None:
    x1, y1, x2, y2 = box
    put(page, title(rng, 2, 5)[:32], (x1, y1 + 20), float(rng.uniform(0.7, 1.1)), ink, font=BOLD)
    middle = int(y1 + (y2 - y1) * rng.uniform(0.35, 0.65))
    paragraphs(page, rng, (x1, y1 + 32, x2, middle), size, ink)
    if rng.random() < 0.6:
        chart(page, rng, (x1 + 20, middle + 20, x2 - 20, int((middle + y2) / 2)))
    else:
        _rows(page, rng, (x1, middle + 20, x2, int((middle + y2) / 2)), size, ink)
    paragraphs(page, rng, (x1, int((middle + y2) / 2) + 20, x2, y2), size, ink)
    put(page, str(rng.integers(1, 90)), ((x1 + x2) // 2, y2 + 16), 0.3, ink)


def _article(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> None:
    x1, y1, x2, y2 = box
    put(page, title(rng, 3, 6)[:30], (x1, y1 + 24), float(rng.uniform(0.9, 1.3)), ink, font=BOLD)
    columns = int(rng.integers(2, 4))
    wide = (x2 - x1) // columns
    for column in range(columns):
        left, y = x1 + column * wide, y1 + 40
        if rng.random() < 0.4:
            tall = int(rng.integers(60, 160))
            page[y : y + tall, left : left + wide - 12] = gradient(rng, wide - 12, tall)
            y += tall + 6
        paragraphs(page, rng, (left, y, left + wide - 12, y2), size * 0.88, ink)


def _list(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> None:
    x1, y1, x2, y2 = box
    put(page, title(rng, 1, 3)[:24], (x1, y1 + 22), 0.9, ink, font=BOLD)
    y, test = y1 + 50, rng.random() < 0.5
    for number in range(1, int(rng.integers(4, 16))):
        if y > y2 - 30:
            break
        put(page, f"{number}." if test else "-", (x1, y), size, ink)
        tall = int(37 * size) * int(rng.integers(1, 4))
        y = paragraph(page, rng, (x1 + 24, y - int(37 * size), x2, y + tall), size, ink)
        for _ in range(int(rng.integers(1, 4)) if test else 0):
            y += 22
            cv2.line(page, (x1 + 24, y), (x2, y), (130, 130, 130), 1)
            if rng.random() < 0.4:
                handwriting(page, rng, (x1 + 26, y - 22, x2, y), pen_ink(rng), 0.5, step=20)
        y += 22


def _flyer(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> None:
    x1, _, x2, y2 = box
    height, width = page.shape[:2]
    middle = int(height * rng.uniform(0.25, 0.6))
    page[:middle] = gradient(rng, width, middle)
    put(page, title(rng, 1, 2)[:14], (x1, middle // 2), 1.6, (250, 250, 250), font=BOLD)
    paragraphs(page, rng, (x1, middle + 20, x2, y2), size * 1.3, ink)


def rules(page: Picture, rng: Rng) -> int:
    """Draw a school pad's lines or squares; return their distance."""
    height, width = page.shape[:2]
    line = rgb(pick(rng, ((0.65, 0.75, 0.88), (0.72, 0.72, 0.74), (0.6, 0.8, 0.75))))
    squares = rng.random() < 0.45
    step = int(rng.integers(13, 17) if squares else rng.integers(20, 28))
    for y in range(int(rng.integers(step, 4 * step)), height, step):
        cv2.line(page, (0, y), (width, y), line, 1)
    if squares:
        for x in range(0, width, step):
            cv2.line(page, (x, 0), (x, height), line, 1)
    elif rng.random() < 0.6:
        cv2.line(page, (70, 0), (70, height), (215, 120, 120), 1)
    return step * 2 if squares else step


def notes(rng: Rng, size: tuple[int, int] = A4) -> Picture:
    """Return a page that is written or drawn on by hand, on any kind of pad."""
    page = canvas(*size, _tint(rng))
    step = rules(page, rng) if rng.random() < 0.6 else None
    width, height = size
    ink, large = pen_ink(rng), float(rng.uniform(0.5, 0.85))
    bottom = int(height * rng.uniform(0.3, 0.97))
    if rng.random() < 0.3:
        scribble(page, rng, (40, 30, width - 30, bottom), ink)
    else:
        handwriting(page, rng, (int(width * 0.08), 20, width - 20, bottom), ink, large, step=step)
    if rng.random() < 0.25:
        corner = rng.integers(60, [width // 2 + 60, height // 2 + 60])
        box = (int(corner[0]), int(corner[1]))
        cv2.rectangle(page, box, (box[0] + 120, box[1] + 80), ink, 2, cv2.LINE_AA)
        cv2.arrowedLine(page, box, (box[0] - 50, box[1] - 30), ink, 2, cv2.LINE_AA)
    return page


def _tint(rng: Rng) -> Color:
    light = float(rng.choice([0.98, 0.97, 0.95, 0.92]))
    warm = float(rng.choice([1, 1, 1, 0.98, 0.94]))
    if rng.random() < 0.05:
        return pick(rng, ((0.98, 0.92, 0.6), (0.8, 0.9, 0.97), (0.97, 0.8, 0.84), (0.8, 0.95, 0.8)))
    return (light, light, light * warm)


Layouter = Callable[[Picture, Rng, Box, float, Ink], None]
_LAYOUTS: Final[tuple[tuple[Layouter, float], ...]] = (
    (_letter, 0.2),
    (_invoice, 0.16),
    (_form, 0.17),
    (_report, 0.17),
    (_article, 0.12),
    (_list, 0.13),
    (_flyer, 0.05),
)


def printed(rng: Rng, size: tuple[int, int] = A4) -> Picture:
    """Return a printed page."""
    page = canvas(*size, _tint(rng))
    width, height = size
    margin = int(width * rng.uniform(0.05, 0.13))
    weights = np.array([weight for _, weight in _LAYOUTS])
    layout = _LAYOUTS[int(rng.choice(len(_LAYOUTS), p=weights / weights.sum()))][0]
    box = (margin, margin, width - margin, height - margin)
    layout(page, rng, box, float(rng.uniform(0.3, 0.44)), _print_ink(rng))
    return page


def blank(rng: Rng, size: tuple[int, int] = A4) -> Picture:
    """Return an empty page, sometimes ruled."""
    page = canvas(*size, _tint(rng))
    if rng.random() < 0.35:
        rules(page, rng)
    return page


def _creased(page: Picture, rng: Rng) -> None:
    """Darken where a sheet had been folded."""
    height = page.shape[0]
    for share in (0.5,) if rng.random() < 0.5 else (1 / 3, 2 / 3):
        y = int(height * share)
        page[y - 1 : y + 1] = (page[y - 1 : y + 1] * 0.86).astype(np.uint8)


def document(rng: Rng, size: tuple[int, int] = A4) -> Picture:
    """Return any sheet's front, (height, width, 3) of the given (width, height)."""
    kind = rng.random()
    page = printed(rng, size) if kind < 0.66 else notes(rng, size) if kind < 0.87 else None
    if page is None:
        page = blank(rng, size)
    if rng.random() < 0.12:
        _creased(page, rng)
    return page


def receipt(rng: Rng) -> Picture:
    """Return a shop's receipt, three times as long as wide."""
    page = canvas(200, 600, (0.96, 0.96, 0.95))
    put(page, company(rng), (24, 40), 0.6, (30, 30, 32), font=BOLD)
    for y in range(80, int(rng.integers(250, 520)), 22):
        put(page, words(rng, 1)[:10], (14, y), 0.42, (50, 50, 54))
        put(page, amount(rng)[-8:], (128, y), 0.42, (50, 50, 54))
    put(page, f"TOTAL {amount(rng)}", (14, 560), 0.55, (30, 30, 32), font=BOLD)
    return page
