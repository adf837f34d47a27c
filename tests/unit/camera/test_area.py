from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from cleandesk.camera import Frame
from cleandesk.camera.area import Area
from cleandesk.clock import Instant
from cleandesk.settings import Zone
from cleandesk.vitals import StageTimer

TRIANGLE = Zone(polygon=[(0.25, 0.25), (0.75, 0.25), (0.25, 0.75)])
HALF = Zone(polygon=[(0.5, 0), (1, 0), (1, 1), (0.5, 1)])
AT = Instant(0.0, datetime(2026, 1, 5, tzinfo=UTC), synced=True)


def white(width: int = 200, height: int = 100) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def shown(image: np.ndarray) -> Frame:
    return Frame(image, AT, 1)


def test_without_an_area_the_whole_picture_is_looked_at() -> None:
    image = white()
    frame = Area(None).blank(shown(image))
    assert frame.view is image
    assert frame.view.all()
    assert frame.origin == (0, 0)


def test_everything_outside_is_black_in_the_picture_itself() -> None:
    image = white()
    assert Area(TRIANGLE).blank(shown(image)).image is image

    assert image[30, 60].tolist() == [255, 255, 255]
    for y, x in [(0, 0), (99, 199), (20, 60), (70, 140), (30, 40)]:
        assert not image[y, x].any(), (y, x)


def test_it_looks_at_the_box_around_the_area_and_says_where_that_is() -> None:
    image = white()
    frame = Area(TRIANGLE, (200, 100)).blank(shown(image))
    view, (x, y) = frame.view, frame.origin

    assert frame.size == (200, 100)
    assert (x, y) == (50, 25)
    assert view.shape == (50, 100, 3)
    assert np.shares_memory(view, image)
    assert np.array_equal(view, image[y : y + 50, x : x + 100])
    assert view[0].any()
    assert view[:, 0].any(), "the box fits closely"


@pytest.mark.parametrize("zone", [None, HALF])
def test_its_time_is_taken(zone: Zone | None) -> None:
    timer = StageTimer()
    Area(zone, timer=timer).blank(shown(white()))
    assert set(timer.percentiles()) == {"area"}


@pytest.mark.parametrize("zone", [TRIANGLE, HALF])
def test_it_says_which_pixels_are_inside(zone: Zone) -> None:
    frame = Area(zone).blank(shown(white()))
    assert frame.part is not None
    expected = None if zone is HALF else frame.view.all(axis=2)
    np.testing.assert_array_equal(frame.part.inside, expected)


def test_an_area_that_reaches_the_edges_keeps_them() -> None:
    frame = Area(HALF).blank(shown(white()))
    assert frame.origin == (100, 0)
    assert frame.view.shape == (100, 100, 3)
    assert frame.view.all()


def test_pictures_of_another_size_are_fitted_anew() -> None:
    area = Area(HALF, (200, 100))
    for width, height in [(200, 100), (64, 48), (200, 100)]:
        frame = area.blank(shown(white(width, height)))
        x, _ = frame.origin
        assert x == width // 2
        assert frame.view.shape == (height, width - x, 3)


def test_padded_rows_of_a_camera_are_blanked_in_place() -> None:
    padded = np.full((100, 256, 3), 255, np.uint8)
    Area(HALF).blank(shown(padded[:, :200]))
    assert not padded[:, :99].any()
    assert padded[:, 100:].all(), "what pads the rows is not ours"


@pytest.mark.parametrize("zone", [TRIANGLE, HALF])
@pytest.mark.parametrize("size", [(200, 100), (161, 91)])
def test_what_is_kept_is_the_filled_polygon_to_the_pixel(zone: Zone, size: tuple[int, int]) -> None:
    width, height = size
    image = white(width, height)
    Area(zone).blank(shown(image))
    corners = [(round(x * (width - 1)), round(y * (height - 1))) for x, y in zone.polygon]
    expected = np.zeros((height, width, 3), np.uint8)
    cv2.fillPoly(expected, [np.array(corners, np.int32)], (255, 255, 255))
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 1.0)])
def test_the_smallest_area_is_still_a_picture(corner: tuple[float, float]) -> None:
    frame = Area(Zone(polygon=[corner, corner, corner])).blank(shown(white()))
    assert frame.view.shape == (1, 1, 3)
