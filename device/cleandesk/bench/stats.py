"""The statistics of a measurement: spreads over rounds, percentiles, a robust slope."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Self, TypeVar

import numpy as np

T = TypeVar("T")

#: Pairs of so many points are quick to go through; more are thinned by medians of neighbours.
_MOST_POINTS = 1000
_FEWEST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, middle and greatest of what several rounds gave."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the spread of some values.

        Raises:
            ValueError: If there are none.
        """
        if not len(values):
            raise ValueError("no values: nothing was measured")
        return cls(float(min(values)), float(np.median(values)), float(max(values)))

    def to_json(self, digits: int = 4) -> dict[str, float]:
        """Return it as JSON has it."""
        return {name: round(value, digits) for name, value in asdict(self).items()}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile, between neighbours in proportion.

    Raises:
        ValueError: If there are no values.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 50)
    2.5
    """
    if not len(values):
        raise ValueError("no values: nothing was measured")
    return float(np.percentile(np.asarray(values, np.float64), percent))


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Return how fast values grow: the median of the slopes of all pairs of points.

    A few steps or outliers do not move it (Theil 1950, Sen 1968).

    Args:
        times: In any order; not all the same.
        values: One for each time.

    Raises:
        ValueError: If there are fewer than three points, or all at one time.
    """
    if len(times) != len(values):
        raise ValueError(f"{len(times)} times and {len(values)} values do not go together")
    if len(times) < _FEWEST_POINTS:
        raise ValueError(f"{len(times)} points have no slope: measure for longer")
    order = np.argsort(np.asarray(times, np.float64), kind="stable")
    x = _thinned(np.asarray(times, np.float64)[order])
    y = _thinned(np.asarray(values, np.float64)[order])
    first, second = np.triu_indices(len(x), k=1)
    apart = x[second] - x[first]
    if not (apart > 0).any():
        raise ValueError("all points are of one time: they have no slope")
    return float(np.median((y[second] - y[first])[apart > 0] / apart[apart > 0]))


def _thinned(values: "np.typing.NDArray[np.float64]") -> "np.typing.NDArray[np.float64]":
    if len(values) <= _MOST_POINTS:
        return values
    return np.array([np.median(part) for part in np.array_split(values, _MOST_POINTS)])


def settled(samples: Sequence[T], share: float) -> Sequence[T]:
    """Return samples without the first share of them, in which a process warms up."""
    return samples[round(len(samples) * share) :]


def interleaved(parts: Sequence[T], rounds: int) -> Iterator[tuple[int, T]]:
    """Yield round and part: a, b, c, a, b, c …, so that a slow spell of the machine hits them all.

    >>> [part for _, part in interleaved("abc", 2)]
    ['a', 'b', 'c', 'a', 'b', 'c']
    """
    for number in range(rounds):
        for part in parts:
            yield number, part
