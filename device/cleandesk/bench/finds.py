"""Whether two loops found the same in a still scene: otherwise their costs do not compare."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

Place = tuple[float, float, float, float]

#: Boxes that share so much are of one thing.
_SAME_IOU = 0.5
#: What one loop saw in this share of its messages, it found.
_STEADY_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Find:
    """A class, and a place in fractions of the picture: x1, y1, x2, y2."""

    class_name: str
    place: Place

    def same(self, other: "Find") -> bool:
        """Say whether another one is this."""
        return self.class_name == other.class_name and overlap(self.place, other.place) >= _SAME_IOU


def steady(messages: Sequence[Collection[Find]], classes: Collection[str]) -> list[Find]:
    """Return what stands in most of some messages, of these classes."""
    found: list[Find] = []
    for message in messages:
        for one in message:
            if one.class_name in classes and not any(one.same(known) for known in found):
                found.append(one)
    return [
        one
        for one in found
        if sum(any(one.same(other) for other in message) for message in messages)
        >= _STEADY_SHARE * len(messages)
    ]


def same_finds(ours: Collection[Find], theirs: Collection[Find]) -> bool:
    """Say whether each of these is among those, and the other way round; nothing at all is not."""
    return (
        bool(ours)
        and all(any(one.same(other) for other in theirs) for one in ours)
        and all(any(one.same(other) for other in ours) for one in theirs)
    )


def overlap(a: Place, b: Place) -> float:
    """Return the intersection over union of two boxes."""
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    areas = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    common = width * height
    return common / (areas - common) if areas > common else 0.0
