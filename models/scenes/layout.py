"""Where things go on a desk without running into each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.scenes.thing import Placed, Thing

_CELL: Final = 0.005
_THIN: Final = 0.0025


class Layout:
    """The ground of a desk, in cells: what is taken, and how high one can lie there."""

    def __init__(self, size: tuple[float, float]) -> None:
        self.size = size
        shape = (round(size[1] / _CELL), round(size[0] / _CELL))
        self._height = np.zeros(shape, np.float32)
        self._taken = np.zeros(shape, np.bool_)
        self.placed: list[Placed] = []

    def _cells(self, thing: Thing, x: float, y: float, yaw: float) -> npt.NDArray[np.bool_]:
        rect = ((x + self.size[0] / 2) / _CELL, (y + self.size[1] / 2) / _CELL)
        sides = (thing.footprint[0] / _CELL, thing.footprint[1] / _CELL)
        corners = cv2.boxPoints((rect, sides, yaw))
        mask = np.zeros(self._taken.shape, np.uint8)
        cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
        return mask.astype(np.bool_)

    def _inside(self, thing: Thing, x: float, y: float, yaw: float, spill: float) -> bool:
        c, s = abs(np.cos(np.radians(yaw))), abs(np.sin(np.radians(yaw)))
        half = (
            (thing.footprint[0] * c + thing.footprint[1] * s) / 2,
            (thing.footprint[0] * s + thing.footprint[1] * c) / 2,
        )
        return bool(
            abs(x) + half[0] <= self.size[0] / 2 + spill
            and abs(y) + half[1] <= self.size[1] / 2 + spill
        )

    def put(
        self, thing: Thing, x: float, y: float, yaw: float, *, stack: bool = True
    ) -> Placed | None:
        """Put a thing there if it fits (on the desk, on something flat); return it, or None."""
        if not self._inside(thing, x, y, yaw, 0.0):
            return None
        cells = self._cells(thing, x, y, yaw)
        if self._taken[cells].any():
            return None
        under = self._height[cells]
        top = float(under.max(initial=0.0))
        if top > 0 and not stack:
            return None
        resting = float((under > top - 1e-4).mean()) if under.size else 1.0
        if top > _THIN and resting < 0.9:
            return None
        placed = Placed(thing, x, y, top, yaw)
        self.placed.append(placed)
        self._height[cells] = top + thing.support
        if thing.support == 0:
            self._taken |= cells
        return placed

    def scatter(
        self,
        rng: np.random.Generator,
        thing: Thing,
        turn: Callable[[], float],
        *,
        spread: float = 1.0,
        tries: int = 25,
    ) -> Placed | None:
        """Try random places until one fits; a `spread` below 1 keeps to the middle."""
        for _ in range(tries):
            x = float(rng.uniform(-0.5, 0.5) * self.size[0] * spread)
            y = float(rng.uniform(-0.5, 0.5) * self.size[1] * spread)
            placed = self.put(thing, x, y, turn(), stack=rng.random() < 0.6)
            if placed is not None:
                return placed
        return None
