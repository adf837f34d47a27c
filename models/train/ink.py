"""What stands on a page: printed text, tables, charts, handwriting. All drawn, nothing copied.

Text is cut from strips of words that are drawn once, four times too large, and shrunk: at small
sizes a line keeps the grey rhythm of letters, and a page of text costs little more than a blend.
"""

import string
from functools import cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.train.picture import Floats, Picture, Rng

Colour = tuple[int, int, int]  # BGR
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels
Cover = npt.NDArray[np.uint8]  # [h, w], how much ink covers a pixel

FONTS: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
INKS: Final[tuple[Colour, ...]] = (
    (40, 40, 40),
    (20, 20, 20),
    (90, 60, 40),
    (140, 60, 20),
    (70, 70, 70),
)
# Kinds of strip: the fonts by their place in FONTS, then alphabets of made-up marks.
MARKS: Final = (4, 5, 6)
DIGITS: Final = 7
HANDS: Final = (8, 9, 10)
PRINTED: Final = (0, 1, 2, 3, *MARKS)

_TALL: Final = 56  # height of a strip before it is shrunk
_WIDE: Final = 9000
_LETTERS: Final = "eeeeeetttttaaaaooooiiiinnnnsssshhhrrrddlllcuumwfgypbvk"


def _word(rng: Rng) -> str:
    word = "".join(rng.choice(list(_LETTERS), int(rng.integers(1, 10))))
    return word.capitalize() if rng.random() < 0.15 else word


def _number(rng: Rng) -> str:
    digits = "".join(rng.choice(list(string.digits), int(rng.integers(1, 5))))
    return f"{digits}.{rng.integers(10, 99)}" if rng.random() < 0.5 else digits


def _glyph(rng: Rng) -> list[npt.NDArray[np.int32]]:
    """Two or three strokes in a cell of 20 x 28 that stands on y = 0: a made-up letter."""
    top = -28 if rng.random() < 0.3 else -20
    low = 9 if rng.random() < 0.15 else 0
    strokes = [np.array([[2, top], [2, low]], np.int32)]
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.55:
            start = int(rng.integers(0, 4)) * 90
            arc = cv2.ellipse2Poly((8, -10), (8, 10), 0, start, start + 190, 30)
            strokes.append(np.asarray(arc, np.int32))
        else:
            strokes.append(rng.choice([[2, -20], [16, -20], [2, -10], [16, -10], [16, 0]], 2))
    return strokes[0 if rng.random() < 0.7 else 1 :]


def _draw_marks(strip: Cover, rng: Rng) -> list[int]:
    alphabet = [_glyph(rng) for _ in range(30)]
    thick, x, starts = int(rng.integers(2, 4)), 4, []
    while x < _WIDE - 300:
        starts.append(x)
        for _ in range(int(rng.integers(1, 10))):
            for stroke in alphabet[int(rng.integers(len(alphabet)))]:
                cv2.polylines(
                    strip, [stroke + np.array([x, 40], np.int32)], False, 255, thick, cv2.LINE_AA
                )
            x += 22
        x += 16
    return starts


def _draw_font(strip: Cover, rng: Rng, kind: int) -> list[int]:
    font, thick, x, starts = FONTS[kind % len(FONTS)], int(rng.integers(2, 4)), 4, []
    while x < _WIDE - 400:
        word = _number(rng) if kind == DIGITS or rng.random() < 0.04 else _word(rng)
        starts.append(x)
        cv2.putText(strip, word, (x, 40), font, 1.25, 255, thick, cv2.LINE_AA)
        x += cv2.getTextSize(word, font, 1.25, thick)[0][0] + 16
    return starts


def _draw_hand(strip: Cover, rng: Rng) -> list[int]:
    """Joined writing: loops of uneven height that lean, with the odd tall or hanging one."""
    x, starts, lean, pitch = 6.0, [], rng.uniform(-0.1, 0.5), rng.uniform(11, 18)
    while x < _WIDE - 400:
        starts.append(int(x))
        letters = int(rng.integers(2, 9))
        t = np.linspace(0, letters, letters * 12)
        high = rng.choice([11, 14, 28, -13], letters + 1, p=[0.4, 0.35, 0.17, 0.08])
        rise = np.interp(t, np.arange(letters + 1), high) * (0.5 - 0.5 * np.cos(2 * np.pi * t))
        forth = pitch * (t + rng.uniform(0.15, 0.45) * np.sin(2 * np.pi * t + rng.uniform(0, 6)))
        points = np.stack([x + forth + lean * rise, 40 - rise + rng.normal(0, 1)], -1)
        cv2.polylines(strip, [points.astype(np.int32)], False, 255, 2, cv2.LINE_AA)
        x += pitch * (letters + rng.uniform(0.8, 1.6))
    return starts


@cache
def _tall_strip(kind: int) -> tuple[Cover, tuple[int, ...]]:
    rng = np.random.default_rng(kind)
    strip = np.zeros((_TALL, _WIDE), np.uint8)
    if kind in HANDS:
        return strip, tuple(_draw_hand(strip, rng))
    if kind in MARKS:
        return strip, tuple(_draw_marks(strip, rng))
    return strip, tuple(_draw_font(strip, rng, kind))


@cache
def _strip(kind: int, height: int) -> tuple[Cover, npt.NDArray[np.int64]]:
    """A row of words `height` pixels tall, and the columns where words start."""
    tall, starts = _tall_strip(kind)
    factor = height / _TALL
    size = (round(_WIDE * factor), height)
    small = np.asarray(cv2.resize(tall, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Thin strokes fade when they are shrunk; print does not.
    gain = float(np.clip(1.0 / max(factor * 4, 0.35), 1.0, 1.6))
    small = np.asarray(cv2.convertScaleAbs(small, alpha=gain), np.uint8)
    return small, (np.array(starts) * factor).astype(np.int64)


def stain(page: Picture, box: Box, cover: Cover, ink: Colour) -> None:
    """Blend ink into the part of a page within `box`, which `cover` fits."""
    x0, y0, x1, y1 = box
    part = page[y0:y1, x0:x1]
    share = cover.astype(np.float32) * np.float32(1 / 255)
    colour = np.empty_like(part)
    colour[:] = ink
    page[y0:y1, x0:x1] = cv2.blendLinear(colour, np.ascontiguousarray(part), share, 1 - share)


def clipped(page: Picture, box: tuple[float, float, float, float]) -> Box:
    """A box of fractions of the page in whole pixels, at least a pixel wide and tall."""
    h, w = page.shape[:2]
    x0, y0 = min(max(int(box[0] * w), 0), w - 2), min(max(int(box[1] * h), 0), h - 2)
    return x0, y0, min(w, max(x0 + 1, int(box[2] * w))), min(h, max(y0 + 1, int(box[3] * h)))


def lines(
    page: Picture,
    rng: Rng,
    box: Box,
    *,
    step: float,
    kind: int,
    ink: Colour = INKS[0],
    justified: bool = True,
    right: bool = False,
) -> None:
    """Lines of words in a box of pixels, `step` pixels apart.

    Args:
        page: Drawn on in place.
        rng: Source of chance.
        box: Where.
        step: Distance of the lines in pixels.
        kind: A strip: a font, made-up marks, digits or a handwriting.
        ink: Colour.
        justified: Whether all lines but the last of a paragraph reach the right margin.
        right: Whether short lines lean on the right margin.
    """
    wide, tall = box[2] - box[0], box[3] - box[1]
    height = max(3, round(step * 0.92))
    strip, starts = _strip(kind, height)
    starts = starts[starts < strip.shape[1] - wide - 1]
    cover = np.zeros((tall, wide), np.uint8)
    y, paragraph = 0.0, int(rng.integers(3, 9))
    while y + height <= tall and len(starts):
        paragraph -= 1
        share = 1.0 if justified else rng.uniform(0.72, 1.0)
        if paragraph <= 0:
            share, paragraph = rng.uniform(0.2, 0.9), int(rng.integers(3, 9))
        length = max(1, int(wide * share))
        first = int(starts[int(rng.integers(len(starts)))])
        if not justified or share < 1.0:  # end with a whole word
            ends = starts[(starts > first) & (starts <= first + length)]
            length = int(ends[-1]) - first if len(ends) else length
        left = wide - length if right else 0
        cover[int(y) : int(y) + height, left : left + length] = strip[:, first : first + length]
        y += step * (1.7 if paragraph > 7 else 1.0)
    stain(page, box, cover, ink)


def print_kind(rng: Rng) -> int:
    """A font or an alphabet of marks."""
    return int(rng.choice(PRINTED))


def heading(page: Picture, rng: Rng, box: Box, ink: Colour, kind: int | None = None) -> None:
    """One line of large letters that fills the box's height."""
    at = print_kind(rng) if kind is None else kind
    step = (box[3] - box[1]) / 0.93
    lines(page, rng, box, step=step, kind=at, ink=ink, justified=False)


def handwriting(
    page: Picture,
    rng: Rng,
    box: tuple[float, float, float, float],
    size: tuple[float, float] = (0.03, 0.065),
) -> None:
    """Pen strokes along lines within a box of fractions (left, top, right, bottom).

    `size` is the least and greatest distance of the lines, as a share of the page's height.
    """
    step = rng.uniform(*size) * page.shape[0]
    ink = (int(rng.integers(40, 200)), int(rng.integers(20, 70)), int(rng.integers(10, 60)))
    if rng.random() < 0.3:
        ink = (50, 50, 50)
    kind = int(rng.choice(HANDS))
    lines(page, rng, clipped(page, box), step=step, kind=kind, ink=ink, justified=False)


def table(page: Picture, rng: Rng, box: Box, rows: int, cols: int) -> None:
    """A table of numbers with rules, and mostly a shaded heading."""
    x0, y0, x1, y1 = box
    step, ink = max(5, (y1 - y0) // rows), INKS[int(rng.integers(len(INKS)))]
    head = tuple(int(v) for v in rng.integers(90, 230, 3))
    if rng.random() < 0.75:
        cv2.rectangle(page, (x0, y0), (x1, y0 + step), head, -1)
    if rng.random() < 0.4:
        for r in range(2, rows, 2):
            cv2.rectangle(page, (x0, y0 + r * step), (x1, y0 + (r + 1) * step), (232,) * 3, -1)
    edges = np.linspace(x0, x1, cols + 1).astype(int)
    edges[1:-1] += rng.integers(-(x1 - x0) // (6 * cols), (x1 - x0) // (6 * cols) + 1, cols - 1)
    upright, kind = rng.random() < 0.7, print_kind(rng)
    bottom = min(y0 + rows * step, page.shape[0] - 1)
    for r in range(rows + 1):
        cv2.line(page, (x0, y0 + r * step), (x1, y0 + r * step), (110,) * 3, 1)
    for c in range(cols):
        if upright:
            cv2.line(page, (int(edges[c]), y0), (int(edges[c]), bottom), (110,) * 3, 1)
        wide = int(edges[c + 1] - edges[c])
        share = rng.uniform(0.4, 0.8) if c else 0.9
        cell = (int(edges[c]) + 3, y0 + 1, int(edges[c]) + 3 + max(4, int(wide * share)), bottom)
        words = kind if c == 0 else DIGITS
        lines(
            page,
            rng,
            clip_to(page, cell),
            step=step,
            kind=words,
            ink=ink,
            justified=False,
            right=c > 0,
        )
    cv2.line(page, (x1, y0), (x1, bottom), (110,) * 3, 1)


def clip_to(page: Picture, box: Box) -> Box:
    """A box of pixels cut at the page's edges."""
    h, w = page.shape[:2]
    x0, y0 = min(max(box[0], 0), w - 2), min(max(box[1], 0), h - 2)
    return x0, y0, min(w, max(box[2], x0 + 1)), min(h, max(box[3], y0 + 1))


def photograph(page: Picture, rng: Rng, box: Box) -> None:
    """A coloured figure, photograph or logo that fills a box."""
    x0, y0, x1, y1 = box
    size = (int(rng.integers(3, 14)), int(rng.integers(3, 14)))
    small = fields(rng, size, rng.integers(60, 200, 3))
    page[y0:y1, x0:x1] = cv2.resize(small, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC)


def fields(rng: Rng, size: tuple[int, int], base: npt.ArrayLike) -> Picture:
    """Colours [h, w, 3] about `base` that vary in lightness more than in hue, as photographs do."""
    vivid = 45.0 if rng.random() < 0.2 else rng.uniform(0, 18)
    light = rng.normal(0, rng.uniform(15, 60), (*size, 1))
    return np.clip(
        np.asarray(base, np.float64) + light + rng.normal(0, vivid, (*size, 3)), 0, 255
    ).astype(np.uint8)


def picture_block(page: Picture, rng: Rng) -> None:
    """A photograph somewhere on the page."""
    x, y = rng.uniform(0.05, 0.4), rng.uniform(0.03, 0.6)
    box = (x, y, x + rng.uniform(0.15, 0.55), y + rng.uniform(0.06, 0.3))
    photograph(page, rng, clipped(page, box))


def rules(page: Picture, rng: Rng) -> None:
    """Ruled lines, squares or dots of writing paper."""
    h, w = page.shape[:2]
    step = max(4, int(rng.uniform(0.017, 0.034) * max(h, w)))
    ink = tuple(int(v) for v in rng.integers(150, 215, 3))
    kind = rng.random()
    if kind < 0.15:
        page[step::step, step::step] = np.array(ink) * 0.7
        return
    page[step::step] = ink
    if kind < 0.5:
        page[:, step::step] = ink
    elif kind < 0.75:
        x = int(0.12 * w)
        page[:, x : x + 2] = (150, 150, 230)


def smooth_path(rng: Rng, steps: int, roughness: float) -> Floats:
    """A wandering curve of `steps` heights within 0..1."""
    walk = np.cumsum(rng.normal(0, 1, steps)) + rng.uniform(-1, 1) / roughness * np.arange(steps)
    low, high = walk.min(), walk.max()
    return np.asarray((walk - low) / max(high - low, 1e-6), np.float32)
