"""How much of a box lies in a zone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.policy.zones import GRID, ZoneMap
from cleandesk.settings import Zone
from tests.unit.policy.traces import SEARCH

LEFT_HALF = Zone(polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
TRIANGLE = Zone(polygon=[(0, 0), (1, 1), (0, 1)])
L_SHAPE = Zone(polygon=[(0, 0), (0.25, 0), (0.25, 0.75), (1, 0.75), (1, 1), (0, 1)])
BOW_TIE = Zone(polygon=[(0, 0), (1, 1), (1, 0), (0, 1)])


def share(zone: Zone, *place: float) -> float:
    x1, y1, x2, y2 = place
    (found,) = ZoneMap({"zone": zone}).shares((x1, y1, x2, y2))
    return found


@pytest.mark.parametrize(
    ("zone", "place", "expected"),
    [
        (LEFT_HALF, (0.0, 0.0, 1.0, 1.0), 0.5),
        (LEFT_HALF, (0.1, 0.1, 0.4, 0.9), 1.0),
        (LEFT_HALF, (0.6, 0.1, 0.9, 0.9), 0.0),
        (LEFT_HALF, (0.4, 0.5, 0.6, 0.6), 0.5),
        (LEFT_HALF, (0.49, 0.5, 0.50, 0.51), 1.0),
        (TRIANGLE, (0.0, 0.0, 1.0, 1.0), 0.5),
        (TRIANGLE, (0.0, 0.5, 0.5, 1.0), 1.0),
        (TRIANGLE, (0.5, 0.5, 1.0, 1.0), 0.5),
        (L_SHAPE, (0.25, 0.0, 1.0, 0.75), 0.0),
        (L_SHAPE, (0.0, 0.0, 0.5, 0.5), 0.5),
        (BOW_TIE, (0.0, 0.0, 1.0, 1.0), 0.5),
    ],
)
def test_share_of_a_box_in_a_polygon(zone: Zone, place: tuple[float, ...], expected: float) -> None:
    assert share(zone, *place) == pytest.approx(expected, abs=0.01)


def test_an_empty_box_lies_nowhere() -> None:
    assert share(LEFT_HALF, 0.2, 0.2, 0.2, 0.4) == 0.0


def test_all_zones_at_once_are_as_each_alone() -> None:
    zones = {"left": LEFT_HALF, "triangle": TRIANGLE, "l": L_SHAPE}
    together = ZoneMap(zones).shares((0.2, 0.3, 0.7, 0.9))
    assert together == tuple(share(zone, 0.2, 0.3, 0.7, 0.9) for zone in zones.values())


@SEARCH
@given(
    x=st.floats(0, 0.9), y=st.floats(0, 0.9), w=st.floats(0.02, 0.1), h=st.floats(0.02, 0.1),
    right=st.floats(0.05, 1), low=st.floats(0.05, 1),
)  # fmt: skip
def test_a_rectangle_is_right_to_a_cell(  # noqa: PLR0917 - six numbers of two boxes
    x: float, y: float, w: float, h: float, right: float, low: float
) -> None:
    rectangle = Zone(polygon=[(0, 0), (right, 0), (right, low), (0, low)])
    exact = max(min(x + w, right) - x, 0) * max(min(y + h, low) - y, 0) / (w * h)
    assert share(rectangle, x, y, x + w, y + h) == pytest.approx(exact, abs=(1 / w + 1 / h) / GRID)
