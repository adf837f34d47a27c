"""What passes for a sheet or a phone: written pads, open books, cards, tablets, dark diaries."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.scenes import books, gadgets, lookalikes, sheets, smallware, sticky, themes, uprights
from models.scenes.geometry import joined, lathe, slab
from models.scenes.layout import Layout
from models.scenes.thing import BRIGHTS, DARKS, LEATHERS, Part, Placed, Surface, Thing, pick

Rng = np.random.Generator


def diary(rng: Rng) -> Thing:
    """Return a closed diary in dark or leather covers without a title, from a pocket's size on."""
    width = float(rng.choice([0.07, 0.08, 0.09, 0.11, 0.148]))
    length, height = width * float(rng.uniform(1.4, 1.8)), float(rng.uniform(0.007, 0.018))
    look = Surface(pick(rng, DARKS, DARKS, LEATHERS), float(rng.uniform(0.2, 0.8)))
    corner, board = float(rng.uniform(0.002, 0.009)), 0.0018
    covers = [slab(width, length, board, corner, 0.0005).moved(z=z) for z in (0, height - board)]
    pages = slab(width - 0.003, length - 0.005, height - 2 * board, corner, 0.0002)
    parts = [Part(pages.moved(z=board), books.PAGES), Part(joined(covers), look)]
    if rng.random() < 0.5:
        band = slab(0.006, length + 0.001, height + 0.0006, 0.0005, 0.0001)
        parts.append(Part(band.moved(x=width * 0.38), Surface(pick(rng, DARKS, BRIGHTS), 0.9)))
    if rng.random() < 0.3:
        ribbon = slab(0.005, 0.03, 0.0004, 0.0004, 0.0001).moved(y=-length / 2 - 0.014, z=0.001)
        parts.append(Part(ribbon, Surface(pick(rng, BRIGHTS), 0.6), counts=False))
    return Thing("diary", "notebook", tuple(parts), (width, length), height)


def power_bank(rng: Rng) -> Thing:
    """Return a power bank or a portable disk: as large as a phone, but thick and without a lens."""
    width, length = float(rng.uniform(0.06, 0.085)), float(rng.uniform(0.095, 0.155))
    height = float(rng.uniform(0.012, 0.026))
    look = Surface(pick(rng, DARKS, DARKS, BRIGHTS), float(rng.uniform(0.15, 0.7)))
    corner = float(rng.uniform(0.003, 0.014))
    lights = [
        lathe([(0.0013, 0), (0.0013, 0.0003), (0, 0.0003)], 10).moved(
            0.005 * i - 0.0075, length * 0.4, height
        )
        for i in range(4)
    ]
    parts = (
        Part(slab(width, length, height, corner, 0.002), look),
        Part(joined(lights), Surface((0.7, 0.8, 0.9), 0.3, emission=float(rng.choice([0, 0.8])))),
    )
    return Thing("power bank", "", parts, (width, length))


_FOR_PAPER: Final[themes.Shares] = (
    (books.opened, 0.26),
    (books.pad, 0.22),
    (gadgets.tablet, 0.16),
    (smallware.card, 0.1),
    (books.magazine, 0.06),
    (sticky.pad, 0.06),
    (uprights.tray, 0.06),
    (uprights.cloth, 0.04),
    (lookalikes.napkin, 0.04),
)
_FOR_PHONES: Final[themes.Shares] = (
    (diary, 0.34),
    (power_bank, 0.2),
    (lookalikes.wallet, 0.12),
    (lookalikes.calculator, 0.1),
    (gadgets.remote, 0.1),
    (lookalikes.chocolate, 0.07),
    (lookalikes.coaster, 0.07),
)


def doubles(rng: Rng, layout: Layout) -> list[Placed]:
    """Lay what is easily mistaken beside fewer of the real things, close together."""
    spread = float(rng.choice([0.75, 0.5]))
    found = themes.strew(rng, layout, sheets.paper, int(rng.choice([0, 0, 1, 1, 2])), spread)
    found += themes.strew(rng, layout, _one_of(_FOR_PAPER), int(rng.integers(2, 6)), spread)
    found += themes.strew(rng, layout, _one_of(_FOR_PHONES), int(rng.integers(1, 5)), spread)
    found += themes.strew(rng, layout, themes.phone, int(rng.choice([0, 0, 1, 1, 2])), spread)
    return found


def _one_of(shares: themes.Shares) -> themes.Maker:
    return lambda rng: themes.any_of(rng, shares)
