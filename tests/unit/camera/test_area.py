import cv2
import numpy as np
import pytest

from cleandesk.camera.area import Area
from cleandesk.settings import Zone

TRIANGLE = Zone(polygon=[(0.25, 0.25), (0.75, 0.25), (0.25, 0.75)])
HALF = Zone(polygon=[(0.5, 0), (1, 0), (1, 1), (0.5, 1)])


def white(width: int = 200, height: int = 100) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def test_without_an_area_the_whole_picture_is_looked_at() -> None:
    image = white()
    view, origin = Area(None).apply(image)
    assert view is image
    assert origin == (0, 0)


def test_everything_outside_is_black_in_the_picture_itself() -> None:
    image = white()
    Area(TRIANGLE).apply(image)

    assert image[30, 60].tolist() == [255, 255, 255]
    for y, x in [(0, 0), (99, 199), (20, 60), (70, 140), (30, 40)]:
        assert not image[y, x].any(), (y, x)


def test_it_crops_to_the_area_and_says_where_that_is() -> None:
    image = white()
    view, (x, y) = Area(TRIANGLE, (200, 100)).apply(image)

    assert (x, y) == (50, 25)
    assert view.shape == (50, 100, 3)
    assert np.shares_memory(view, image)
    assert np.array_equal(view, image[y : y + 50, x : x + 100])
    assert view[0].any()
    assert view[:, 0].any(), "the crop fits closely"


def test_an_area_that_reaches_the_edges_keeps_them() -> None:
    image = white()
    view, origin = Area(HALF).apply(image)
    assert origin == (100, 0)
    assert view.shape == (100, 100, 3)
    assert view.all()


def test_pictures_of_another_size_are_fitted_anew() -> None:
    area = Area(HALF, (200, 100))
    for width, height in [(200, 100), (64, 48), (200, 100)]:
        view, (x, _) = area.apply(white(width, height))
        assert x == width // 2
        assert view.shape == (height, width - x, 3)


def test_padded_rows_of_a_camera_are_blanked_in_place() -> None:
    padded = np.full((100, 256, 3), 255, np.uint8)
    image = padded[:, :200]
    Area(HALF).apply(image)
    assert not padded[:, :99].any()
    assert padded[:, 100:].all(), "what pads the rows is not ours"


@pytest.mark.parametrize("zone", [TRIANGLE, HALF])
@pytest.mark.parametrize("size", [(200, 100), (161, 91)])
def test_what_is_kept_is_the_filled_polygon_to_the_pixel(zone: Zone, size: tuple[int, int]) -> None:
    width, height = size
    image = white(width, height)
    Area(zone).apply(image)
    corners = [(round(x * (width - 1)), round(y * (height - 1))) for x, y in zone.polygon]
    expected = np.zeros((height, width, 3), np.uint8)
    cv2.fillPoly(expected, [np.array(corners, np.int32)], (255, 255, 255))
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 1.0)])
def test_the_smallest_area_is_still_a_picture(corner: tuple[float, float]) -> None:
    view, _ = Area(Zone(polygon=[corner, corner, corner])).apply(white())
    assert view.shape == (1, 1, 3)
