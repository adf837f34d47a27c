"""How much of a box lies in each zone."""

from array import array
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cleandesk.policy.change import Place
from cleandesk.policy.geometry import area
from cleandesk.settings import Zone
from cleandesk.settings_base import Point

#: A zone is drawn on a grid of so many cells each way; its border is right to half a cell.
GRID = 256


class ZoneMap:
    """All zones as summed areas, so that a few look-ups answer for a box of any size.

    Source: F. Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984. Sums between cell
    corners are interpolated, which is exact for a grid of whole cells. A frame shows a few boxes,
    and for those plain numbers take a third of the time that arrays do.
    """

    def __init__(self, zones: Mapping[str, Zone]) -> None:
        """Draw the zones; a polygon that crosses itself counts by the even-odd rule."""
        self.names = tuple(zones)
        self._sums = [_summed(_draw(zone.polygon)) for zone in zones.values()]

    def shares(self, place: Place) -> tuple[float, ...]:
        """Return what share of a box, in fractions of the picture and within it, lies in each zone.

        Returns:
            0-1, in the order of `names`; 0 for an empty box.
        """
        size = area(place)
        if size <= 0:
            return (0.0,) * len(self.names)
        x1, y1, x2, y2 = (_between_corners(value) for value in place)
        shares = []
        for sums in self._sums:
            inside = _to(sums, y2, x2) - _to(sums, y2, x1) - _to(sums, y1, x2) + _to(sums, y1, x1)
            shares.append(min(max(inside / size, 0.0), 1.0))
        return tuple(shares)


def _between_corners(value: float) -> tuple[int, float]:
    """Return the corner of a cell below a coordinate, and how far towards the next one it lies."""
    below = min(int(value * GRID), GRID - 1)
    return below, value * GRID - below


def _to(sums: Sequence[float], y: tuple[int, float], x: tuple[int, float]) -> float:
    """Return the zone's area above and left of a point."""
    (row, low), (column, right) = y, x
    at = row * (GRID + 1) + column
    upper = sums[at] + (sums[at + 1] - sums[at]) * right
    at += GRID + 1
    lower = sums[at] + (sums[at + 1] - sums[at]) * right
    return upper + (lower - upper) * low


def _summed(drawn: NDArray[np.float64]) -> Sequence[float]:
    """Return the share of the picture that is drawn above and left of each corner, row by row."""
    sums = np.zeros((GRID + 1, GRID + 1))
    sums[1:, 1:] = drawn.cumsum(axis=0).cumsum(axis=1) / GRID**2
    return array("d", sums.ravel())


def _draw(polygon: Sequence[Point]) -> NDArray[np.float64]:
    """Return [GRID, GRID]: 1 where a cell's middle lies in the polygon, else 0."""
    middle = (np.arange(GRID) + 0.5) / GRID
    x, y = middle[None, :], middle[:, None]
    inside = np.zeros((GRID, GRID), bool)
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if y1 != y2:
            inside ^= ((y1 <= y) != (y2 <= y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside.astype(np.float64)
