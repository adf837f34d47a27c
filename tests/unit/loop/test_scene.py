"""Planes are a picture's brightness, cell by cell."""

import numpy as np
import pytest

from cleandesk.loop.scene import LEAST_LEVELS, MOST_LEVELS, Scene, Shrinker


@pytest.mark.parametrize("size", [(416, 416), (320, 200), (33, 35)])
def test_a_plane_has_a_cell_for_each_eight_by_eight_pixels(size: tuple[int, int]) -> None:
    width, height = size
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    plane = Shrinker(width, height).plane(picture)
    assert plane.shape == (height // 8, width // 8)
    grey = picture.astype(float) @ [0.114, 0.587, 0.299]
    assert abs(float(plane.mean()) - grey.mean()) < 2


def test_a_cell_is_the_mean_of_its_pixels() -> None:
    picture = np.full((64, 64, 3), 100, np.uint8)
    picture[16:24, 40:48] = 180
    picture[8:10, 8:12] = 228  # an eighth of a cell
    plane = Shrinker(64, 64).plane(picture)
    assert (plane[2, 5], plane[1, 1]) == (180, 116)
    assert np.count_nonzero(plane != 100) == 2


def test_a_plane_that_was_given_stays_as_it_is() -> None:
    shrinker = Shrinker(64, 64)
    first = shrinker.plane(np.full((64, 64, 3), 10, np.uint8))
    shrinker.plane(np.full((64, 64, 3), 200, np.uint8))
    assert (first == 10).all()


def test_the_threshold_follows_the_noise_within_bounds() -> None:
    random = np.random.default_rng(1)
    quiet, loud, wild = Scene(), Scene(), Scene()
    for _ in range(200):
        for scene, noise in ((quiet, 0.1), (loud, 1.2), (wild, 20)):
            level = np.clip(100 + random.normal(0, noise, (52, 52)), 0, 255)
            scene.changed(level.astype(np.uint8))
    assert quiet.threshold == LEAST_LEVELS < loud.threshold < wild.threshold == MOST_LEVELS
    assert loud.threshold == pytest.approx(6 * 1.2 * 2**0.5, rel=0.25)
