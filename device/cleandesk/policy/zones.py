"""How much of a box lies in each zone."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cleandesk.settings import Point, Zone

#: A zone is drawn on a grid of so many cells each way; its border is right to half a cell.
GRID = 256


class ZoneMap:
    """All zones as summed areas, so that one look-up answers for all boxes and zones at once.

    Source: F. Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984. Sums between cell
    corners are interpolated, which is exact for a grid of whole cells.
    """

    def __init__(self, zones: Mapping[str, Zone]) -> None:
        """Draw the zones; a polygon that crosses itself counts by the even-odd rule."""
        self.names = tuple(zones)
        sums = np.zeros((len(zones), GRID + 1, GRID + 1))
        for table, zone in zip(sums, zones.values(), strict=True):
            table[1:, 1:] = _draw(zone.polygon).cumsum(axis=0).cumsum(axis=1)
        self._sums = sums / GRID**2

    def shares(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what share of each box lies in each zone.

        Args:
            places: [n, 4] as fractions of the picture, within it.

        Returns:
            [n, zones], 0-1, in the order of `names`; 0 for an empty box.
        """
        x = np.concatenate((places[:, 2], places[:, 0], places[:, 2], places[:, 0])) * GRID
        y = np.concatenate((places[:, 3], places[:, 3], places[:, 1], places[:, 1])) * GRID
        left, top = np.minimum(x.astype(np.intp), GRID - 1), np.minimum(y.astype(np.intp), GRID - 1)
        right_share, low_share = x - left, y - top
        upper = self._mix(top, left, right_share)
        corners = upper + (self._mix(top + 1, left, right_share) - upper) * low_share
        whole, no_right, no_low, neither = corners.reshape(len(self.names), 4, -1).swapaxes(0, 1)
        size = (places[:, 2] - places[:, 0]) * (places[:, 3] - places[:, 1])
        inside = whole - no_right - no_low + neither
        shares = np.divide(inside, size, out=np.zeros_like(inside), where=size > 0)
        return np.clip(shares, 0.0, 1.0).T

    def _mix(
        self, row: NDArray[np.intp], column: NDArray[np.intp], share: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        left = self._sums[:, row, column]
        return left + (self._sums[:, row, column + 1] - left) * share


def _draw(polygon: Sequence[Point]) -> NDArray[np.float64]:
    """Return [GRID, GRID]: 1 where a cell's middle lies in the polygon, else 0."""
    middle = (np.arange(GRID) + 0.5) / GRID
    x, y = middle[None, :], middle[:, None]
    inside = np.zeros((GRID, GRID), bool)
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if y1 != y2:
            inside ^= ((y1 <= y) != (y2 <= y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside.astype(np.float64)
