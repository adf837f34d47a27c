"""Tiny pictures of a simulated desk, with a sensor's noise and changing light."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cleandesk.loop.scene import Plane
from cleandesk.policy import Place
from tests.unit.policy.traces import Thing

SIDE = 26

Levels = NDArray[np.float64]


class Pictures:
    """What a camera above a desk would show, a plane at a time.

    Args:
        things: What comes and goes.
        contrast: By position in `things`: how many of 255 levels each is darker than the desk.
        noise: One standard deviation of a cell, in levels.
        seed: Of desk and noise.
        light: From such seconds on, so many levels are added everywhere.
    """

    def __init__(
        self,
        things: Sequence[Thing],
        contrast: Mapping[int, float],
        *,
        noise: float,
        seed: int,
        light: Sequence[tuple[float, float]] = (),
    ) -> None:
        self._things, self._contrast = things, contrast
        self._noise, self._light = noise, light
        self._random = np.random.default_rng(seed)
        self._desk: Levels = self._random.uniform(110, 190, (SIDE, SIDE))

    def plane(self, t: float) -> Plane:
        """Return the picture at a second of the trace."""
        levels = self._desk + [0.0, *(by for since, by in self._light if t >= since)][-1]
        for number, thing in enumerate(self._things):
            place = thing.at(t)
            if place is not None:
                levels[cells(place)] -= self._contrast[number]
        return self.shown(levels)

    def shown(self, levels: Levels) -> Plane:
        """Return levels as the sensor gives them."""
        noisy = levels + self._random.normal(0, self._noise, levels.shape)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def cells(place: Place) -> tuple[slice, slice]:
    """Return the cells that a box touches, at least one."""
    x1, y1, x2, y2 = place
    across = slice(int(x1 * SIDE), max(int(np.ceil(x2 * SIDE)), int(x1 * SIDE) + 1))
    down = slice(int(y1 * SIDE), max(int(np.ceil(y2 * SIDE)), int(y1 * SIDE) + 1))
    return down, across
