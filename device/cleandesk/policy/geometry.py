"""Boxes and how they lie to each other. All as fractions of the picture, x1, y1, x2, y2."""

from math import hypot

from cleandesk.policy.change import Place


def area(place: Place) -> float:
    """Return a box's area as a fraction of the picture; 0 for an empty one."""
    x1, y1, x2, y2 = place
    return max(x2 - x1, 0.0) * max(y2 - y1, 0.0)


def shared_area(a: Place, b: Place) -> float:
    """Return the area that two boxes have in common."""
    left, right = max(a[0], b[0]), min(a[2], b[2])
    if right <= left:
        return 0.0
    top, bottom = max(a[1], b[1]), min(a[3], b[3])
    return (right - left) * (bottom - top) if bottom > top else 0.0


def iou_and_containment(a: Place, b: Place) -> tuple[float, float]:
    """Return the boxes' intersection over union, and over the smaller one's area."""
    common = shared_area(a, b)
    if common <= 0:
        return 0.0, 0.0
    size_a, size_b = area(a), area(b)
    return common / (size_a + size_b - common), common / min(size_a, size_b)


def covered(place: Place, by: Place) -> float:
    """Return the share of a box that lies under another, 0-1."""
    size = area(place)
    return shared_area(place, by) / size if size > 0 else 0.0


def centre(place: Place) -> tuple[float, float]:
    """Return a box's middle."""
    return (place[0] + place[2]) / 2, (place[1] + place[3]) / 2


def diagonals_apart(a: Place, b: Place, aspect: float) -> float:
    """Return the distance of two boxes' centres, in diagonals of the larger box.

    Args:
        a: A box.
        b: Another.
        aspect: The picture's width over its height, so that both directions weigh the same.
    """
    (ax, ay), (bx, by) = centre(a), centre(b)
    diagonal = max(hypot((p[2] - p[0]) * aspect, p[3] - p[1]) for p in (a, b))
    return hypot((ax - bx) * aspect, ay - by) / diagonal if diagonal > 0 else float("inf")


def hull(places: list[Place]) -> Place:
    """Return the smallest box around some boxes; there must be one at least."""
    return (
        min(p[0] for p in places),
        min(p[1] for p in places),
        max(p[2] for p in places),
        max(p[3] for p in places),
    )


def between(old: Place, new: Place, share: float) -> Place:
    """Return the box that lies so far on the way from an old one to a new one, 0-1."""
    rest = 1 - share
    return (
        rest * old[0] + share * new[0],
        rest * old[1] + share * new[1],
        rest * old[2] + share * new[2],
        rest * old[3] + share * new[3],
    )
