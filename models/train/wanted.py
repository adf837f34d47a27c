"""What lies on a composed desk: how many of each class, drawn or cut from photographs."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from models.train import things
from models.train.picture import Cutout, Rng

# Longest side in metres, and how much it varies.
LENGTHS: Final = {
    "paper": (0.275, 0.26),
    "notebook": (0.25, 0.45),
    "sticky_note": (0.076, 0.2),
    "pen": (0.145, 0.1),
    "phone": (0.155, 0.1),
    "tablet": (0.245, 0.15),
    "card": (0.0856, 0.04),
    "usb_stick": (0.055, 0.25),
    "camera": (0.13, 0.2),
    "headphones": (0.19, 0.12),
    "remote": (0.17, 0.2),
    **{name: length for name, (_, _, length) in things.LOOKALIKES.items()},
}
LARGE: Final = 0.2  # metres: sheets, books, tablets
# How many of a class lie on a desk: chances of 0, 1, 2, ...
COUNTS: Final[dict[str, tuple[float, ...]]] = {
    "paper": (0.17, 0.37, 0.24, 0.13, 0.09),
    "notebook": (0.4, 0.4, 0.2),
    "tablet": (0.88, 0.12),
    "camera": (0.88, 0.12),
    "headphones": (0.88, 0.12),
    "remote": (0.88, 0.12),
    "phone": (0.55, 0.37, 0.08),
    "sticky_note": (0.75, 0.13, 0.08, 0.04),
    "card": (0.8, 0.14, 0.06),
    "usb_stick": (0.85, 0.11, 0.04),
    "pen": (0.45, 0.3, 0.17, 0.08),
}
LOOKALIKE_COUNTS: Final = (0.3, 0.3, 0.2, 0.12, 0.08)
ONLY_LOOKALIKES: Final = 0.06  # share of desks without a thing of a class
# What lies alone before a camera that is so near that it fills the picture; "" is no class.
LONE: Final = {"paper": 0.54, "notebook": 0.26, "tablet": 0.08, "": 0.12}

DRAWS: Final[dict[str, Callable[[Rng], Cutout]]] = {
    "paper": things.paper,
    "notebook": things.notebook,
    "sticky_note": things.sticky_note,
    "pen": things.pen,
    "phone": things.phone,
    "tablet": things.tablet,
    "card": things.card,
    "usb_stick": things.usb_stick,
    "camera": things.camera,
    "headphones": things.headphones,
    "remote": things.remote,
}
_LARGE_LOOKALIKES: Final = [name for name in things.LOOKALIKES if LENGTHS[name][0] > LARGE]


def clutter(rng: Rng, real: dict[str, Sequence[Cutout]]) -> list[tuple[str, Cutout]]:
    """What lies on this desk, the lowest first; `real` cut-outs stand in for half of the drawn."""
    amount = int(rng.choice(len(LOOKALIKE_COUNTS), p=LOOKALIKE_COUNTS))
    only = rng.random() < ONLY_LOOKALIKES
    out = [things.lookalike(rng) for _ in range(max(amount, 1) if only else amount)]
    if only:
        return out
    for name, chances in COUNTS.items():
        stock = real.get(name, ())
        for _ in range(int(rng.choice(len(chances), p=chances))):
            photograph = len(stock) > 0 and rng.random() < 0.5
            cut = stock[int(rng.integers(len(stock)))] if photograph else DRAWS[name](rng)
            out.append((name, cut))
    # Large things lie below, but paper and books in any order among them, and seldom on a phone.
    rank = [rng.normal(2 * (LENGTHS[name][0] < LARGE), 0.7) for name, _ in out]
    return [out[int(i)] for i in np.argsort(rank)]


def lone(rng: Rng) -> tuple[str, Cutout]:
    """One large thing, mostly a sheet: what a look from close by is about."""
    name = str(rng.choice(list(LONE), p=list(LONE.values())))
    if name:
        return name, DRAWS[name](rng)
    name = str(rng.choice(_LARGE_LOOKALIKES))
    return name, things.LOOKALIKES[name][0](rng)
