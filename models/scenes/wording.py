"""Words, names and figures that read like real ones, and how they are set on a page."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from models.scenes.thing import Picture

Rng = np.random.Generator
Ink = tuple[int, int, int]
Box = tuple[int, int, int, int]

REGULAR: Final = cv2.FONT_HERSHEY_SIMPLEX
BOLD: Final = cv2.FONT_HERSHEY_DUPLEX
ITALIC: Final = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX

_TEXT: Final = (
    "the of and to in a is that for it as was with be by on not he his but at are this have from "
    "or had an they which one you were all her she there would their we him been has when who "
    "will no more if out so up said what its about than into them can only other time new some "
    "could these two may first then do any like my now over such our man me even most made after "
    "also did many off before must well back through years much where your way down should "
    "because long each just state those people too little good world make very year still see own "
    "work men day get here old between both life being under three never know same last another "
    "while us might great go come since against right came take used himself few house use place "
    "account report project meeting budget customer service payment contract delivery schedule "
    "agreement employee department manager quality process training security result analysis "
    "figure table section review document office system test measure value increase total market"
)
_WORDS: Final = tuple(_TEXT.split())
_FIRST: Final = ("Anna", "James", "Maria", "Omar", "Li", "Peter", "Sofia", "Ravi", "Emma", "Ken")
_LAST: Final = ("Miller", "Chen", "Novak", "Garcia", "Okafor", "Weber", "Rossi", "Singh", "Kim")
_COMPANIES: Final = ("Northwind", "Alpina", "Meridian", "Bluefield", "Castor", "Lindner", "Orbis")
_KINDS: Final = ("Ltd", "GmbH", "Inc", "Bank", "Insurance", "Logistics", "Energy", "University")


def _one(rng: Rng, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def words(rng: Rng, count: int) -> str:
    """Return that many common words in no order."""
    return " ".join(_WORDS[int(i)] for i in rng.integers(len(_WORDS), size=count))


def title(rng: Rng, low: int = 1, high: int = 5) -> str:
    """Return a few capitalised words."""
    return words(rng, int(rng.integers(low, high + 1))).title()


def person_name(rng: Rng) -> str:
    """Return a first and a last name."""
    return f"{_one(rng, _FIRST)} {_one(rng, _LAST)}"


def company(rng: Rng) -> str:
    """Return a made-up company's name."""
    return f"{_one(rng, _COMPANIES)} {_one(rng, _KINDS)}"


def amount(rng: Rng) -> str:
    """Return a sum of money."""
    return f"{float(np.exp(rng.uniform(1, 9))):,.2f}"


def date(rng: Rng) -> str:
    """Return a day of the 2020s."""
    return f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.202{rng.integers(0, 8)}"


def put(
    page: Picture, text: str, at: tuple[int, int], size: float, ink: Ink, *, font: int = REGULAR
) -> int:
    """Write one line with its baseline's start at (x, y); return the x behind it."""
    cv2.putText(page, text, at, font, size, ink, 1, cv2.LINE_AA)
    return at[0] + cv2.getTextSize(text, font, size, 1)[0][0]


def paragraph(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> int:
    """Set running text into a box, the last line short; return the y below it."""
    x1, y1, x2, y2 = box
    step = max(4, int(37 * size))
    y = y1 + step
    while y < y2:
        line = words(rng, 3)
        if y == y1 + step:
            line = line.capitalize()
        while cv2.getTextSize(line, REGULAR, size, 1)[0][0] < (x2 - x1) * 0.9:
            line += " " + words(rng, 1)
        while cv2.getTextSize(line, REGULAR, size, 1)[0][0] > x2 - x1 and " " in line:
            line = line.rsplit(" ", 1)[0]
        if y + step >= y2 and len(line) > 12:
            line = line[: int(rng.integers(8, len(line)))] + "."
        put(page, line, (x1, y), size, ink)
        y += step
    return y


def paragraphs(page: Picture, rng: Rng, box: Box, size: float, ink: Ink) -> None:
    """Fill a box with paragraphs and the odd heading."""
    x1, y1, x2, y2 = box
    step, y = max(4, int(37 * size)), y1
    while y < y2 - step:
        if rng.random() < 0.2:
            y += int(step * 1.6)
            put(page, title(rng, 1, 4)[:40], (x1, y), size * 1.25, ink, font=BOLD)
        y = paragraph(
            page, rng, (x1, y, x2, min(y2, y + step * int(rng.integers(3, 9)))), size, ink
        )
        y += step // 2


def handwriting(
    page: Picture, rng: Rng, box: Box, ink: Ink, size: float, *, step: int | None = None
) -> None:
    """Fill a box with uneven lines written by hand."""
    x1, y1, x2, y2 = box
    step = step or max(6, int(42 * size))
    lean = float(rng.uniform(-0.04, 0.02))
    for y in range(y1 + step, y2, step):
        x = x1 + int(rng.integers(0, 12))
        end = x1 + (x2 - x1) * float(rng.uniform(0.4, 1.0))
        while x < end:
            word = words(rng, 1)
            scale = size * float(rng.uniform(0.85, 1.15))
            at = (x, y + int((x - x1) * lean) + int(rng.integers(-1, 2)))
            if x + cv2.getTextSize(word, ITALIC, scale, 1)[0][0] > x2:
                break
            x = put(page, word, at, scale, ink, font=ITALIC) + int(16 * size)
