"""What lies on a random desk: sheets, books, gadgets, next to nothing, or only look-alikes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from models.scenes import (
    bags,
    books,
    gadgets,
    handheld,
    lookalikes,
    optics,
    sheets,
    smallware,
    sticky,
    uprights,
    vessels,
)
from models.scenes.layout import Layout
from models.scenes.thing import Placed, Thing

Rng = np.random.Generator
Maker = Callable[[Rng], Thing]
Shares = tuple[tuple[Maker, float], ...]


def phone(rng: Rng) -> Thing:
    """Return a phone: on, off, or on its face."""
    if rng.random() < 0.36:
        return gadgets.phone_on_its_face(rng)
    return handheld.phone(rng, screen="on" if rng.random() < 0.52 else "off")


#: Small, weak classes come more often than the large ones that the starting weights know.
EVERYTHING: Final[Shares] = (
    (phone, 0.13),
    (sheets.paper, 0.19),
    (books.notebook, 0.17),
    (sticky.sticky, 0.09),
    (handheld.pen, 0.14),
    (gadgets.tablet, 0.06),
    (smallware.card, 0.07),
    (smallware.usb_stick, 0.06),
    (optics.camera, 0.06),
    (optics.headphones, 0.05),
    (gadgets.remote, 0.05),
    (bags.bag, 0.02),
    (vessels.cup, 0.08),
    (vessels.bottle, 0.08),
)
_SMALL: Final[Shares] = (
    (phone, 0.22),
    (sticky.sticky, 0.14),
    (handheld.pen, 0.14),
    (gadgets.tablet, 0.12),
    (smallware.card, 0.16),
    (smallware.usb_stick, 0.14),
    (optics.camera, 0.12),
    (optics.headphones, 0.1),
    (gadgets.remote, 0.1),
    (books.notebook, 0.05),
    (sheets.paper, 0.05),
)


def any_of(rng: Rng, shares: Shares = EVERYTHING) -> Thing:
    """Return a thing made by one of the makers, each as often as its share says."""
    weights = np.array([share for _, share in shares])
    return shares[int(rng.choice(len(shares), p=weights / weights.sum()))][0](rng)


def lookalike(rng: Rng) -> Thing:
    """Return an unlabelled thing."""
    if rng.random() < 0.015:
        return uprights.envelope(rng)
    makers: tuple[Maker, ...] = (*lookalikes.ALL, *uprights.ALL)
    return makers[int(rng.integers(len(makers)))](rng)


def turn(rng: Rng) -> float:
    """Return how a thing lies: mostly about square to the desk, or any way."""
    if rng.random() < 0.5:
        return float(rng.normal(0, 14) + 90 * rng.integers(4))
    return float(rng.uniform(0, 360))


def strew(rng: Rng, layout: Layout, maker: Maker, count: int, spread: float = 1.0) -> list[Placed]:
    """Scatter so many things of one maker; return those that found a place."""
    found = []
    for _ in range(count):
        placed = layout.scatter(rng, maker(rng), lambda: turn(rng), spread=spread)
        if placed is not None:
            found.append(placed)
    return found


def _spot(rng: Rng, layout: Layout) -> tuple[float, float]:
    width, depth = layout.size
    return float(rng.uniform(-0.28, 0.28) * width), float(rng.uniform(-0.22, 0.22) * depth)


def _fan(rng: Rng, layout: Layout) -> list[Placed]:
    """Spread sheets over each other, each turned and shifted a little further."""
    x, y = _spot(rng, layout)
    yaw, step = turn(rng), float(rng.normal(0, 13))
    shift = rng.normal(0, 0.05, 2)
    found = []
    for number in range(int(rng.integers(2, 6))):
        at = (x + float(shift[0]) * number, y + float(shift[1]) * number)
        placed = layout.put(sheets.flat(rng), *at, yaw + step * number)
        if placed is not None:
            found.append(placed)
    return found


def _stack(rng: Rng, layout: Layout) -> list[Placed]:
    """Pile up books, the larger ones below."""
    x, y = _spot(rng, layout)
    yaw = turn(rng)
    pile = [books.lying(rng) for _ in range(int(rng.integers(2, 6)))]
    pile.sort(key=lambda book: -book.footprint[0] * book.footprint[1])
    placed = [layout.put(book, x, y, yaw + float(rng.normal(0, 4))) for book in pile]
    return [book for book in placed if book is not None]


def _row(rng: Rng, layout: Layout) -> list[Placed]:
    """Stand books in a row at the desk's far edge, the last ones leaning."""
    width, depth = layout.size
    x = float(rng.uniform(-0.45, 0.1)) * width
    found = []
    for number in range(int(rng.integers(3, 10))):
        book = books.standing(rng, lean=0.0 if number < 4 else -float(rng.uniform(0, 9)))
        span = book.footprint[0] + (0.012 if number >= 4 else 0.0)
        placed = layout.put(book, x + span / 2, depth / 2 - 0.13, 0.0)
        x += span + 0.001
        if placed is not None:
            found.append(placed)
    return found


def clutter(rng: Rng, layout: Layout) -> list[Placed]:
    """Scatter sheets first, then anything, on them or beside."""
    spread = float(rng.choice([1.0, 0.85, 0.65]))
    strew(rng, layout, sheets.flat, int(rng.choice([0, 0, 1, 2])), spread)
    found = strew(rng, layout, any_of, int(rng.integers(2, 9)), spread)
    strew(rng, layout, lookalike, int(rng.choice([0, 1, 1, 2, 3, 4])))
    return found


def papers(rng: Rng, layout: Layout) -> list[Placed]:
    """Scatter sheets of all kinds, and a few things on and beside them."""
    spread = float(rng.choice([0.9, 0.7, 0.5]))
    found = _fan(rng, layout) if rng.random() < 0.4 else []
    found += strew(rng, layout, sheets.flat, int(rng.choice([0, 1, 2, 3])), spread)
    found += strew(rng, layout, sheets.paper, int(rng.choice([1, 1, 2, 3, 5])), spread)
    strew(rng, layout, any_of, int(rng.choice([0, 1, 2, 3, 5])), spread)
    strew(rng, layout, lookalike, int(rng.choice([0, 0, 1, 2])))
    return found


def library(rng: Rng, layout: Layout) -> list[Placed]:
    """Lay out notebooks and books: singly, in piles, in a row, open under a pen."""
    found = _row(rng, layout) if rng.random() < 0.35 else []
    if rng.random() < 0.5:
        found += _stack(rng, layout)
    found += strew(rng, layout, books.notebook, int(rng.choice([1, 1, 2, 3, 4])), 0.8)
    strew(rng, layout, any_of, int(rng.choice([0, 1, 2, 3, 4])), 0.8)
    strew(rng, layout, lookalike, int(rng.choice([0, 0, 1, 2])))
    return found


def gear(rng: Rng, layout: Layout) -> list[Placed]:
    """Scatter small devices and cards, close together."""
    spread = float(rng.choice([0.8, 0.5]))
    strew(rng, layout, sheets.flat, int(rng.choice([0, 0, 1])), spread)
    found = strew(rng, layout, lambda dice: any_of(dice, _SMALL), int(rng.integers(3, 9)), spread)
    strew(rng, layout, lookalike, int(rng.choice([0, 1, 2, 3])), spread)
    return found


def sparse(rng: Rng, layout: Layout) -> list[Placed]:
    """Lay next to nothing there."""
    found = strew(rng, layout, any_of, int(rng.integers(0, 3)), 0.7)
    strew(rng, layout, lookalike, int(rng.choice([0, 0, 1])))
    return found


def unlabelled(rng: Rng, layout: Layout) -> list[Placed]:
    """Lay nothing there that has a class."""
    strew(rng, layout, lookalike, int(rng.choice([0, 0, 1, 2, 4, 6])))
    return []
