"""A day as a drawing: a lane for each class, and where something lay."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: A drawing is so wide, in its own units; the narrowest span can still be seen.
WIDTH = 960.0
_NARROWEST = 2.0
_MOST_LANES = 8


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a lane, in the drawing's units."""

    x: float
    width: float


def lanes(
    things: Sequence[tuple[str, datetime, datetime]], start: datetime, length: timedelta
) -> list[tuple[str, list[Span]]]:
    """Return the lanes of a drawing by class: the classes with the most of it first.

    Args:
        things: Class, beginning and end of each.
        start: The drawing's left edge.
        length: Up to its right edge.
    """
    found: dict[str, list[Span]] = defaultdict(list)
    for name, begin, end in things:
        x = min(max((begin - start) / length, 0.0), 1.0) * WIDTH
        right = min(max((end - start) / length, 0.0), 1.0) * WIDTH
        width = max(right - x, _NARROWEST)
        found[name].append(Span(round(min(x, WIDTH - width), 1), round(width, 1)))
    by_count = sorted(found.items(), key=lambda lane: (-len(lane[1]), lane[0]))
    return by_count[:_MOST_LANES]
