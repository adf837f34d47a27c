"""Altered pictures are what their names say; lighter skin has the larger angle."""

import cv2
import numpy as np
import pytest

from models.evaluation.light import ALTERED
from models.evaluation.looking import Image
from models.evaluation.skin import tone


@pytest.fixture(name="image")
def _image() -> Image:
    return np.random.default_rng(3).integers(20, 200, (120, 160, 3)).astype(np.uint8)


@pytest.mark.parametrize("how", list(ALTERED))
def test_a_picture_stays_a_picture(how: str, image: Image) -> None:
    alter = ALTERED[how]
    altered = alter(image) if alter else image
    assert altered.shape == image.shape
    assert altered.dtype == np.uint8


def _mean(how: str, image: Image) -> "np.typing.NDArray[np.float64]":
    alter = ALTERED[how]
    assert alter is not None
    return np.asarray(alter(image).mean(axis=(0, 1)) / image.mean(axis=(0, 1)))


def test_gain_and_casts_move_the_channels(image: Image) -> None:
    assert _mean("gain .35", image) == pytest.approx([0.35] * 3, abs=0.02)
    blue, _, red = _mean("warm cast", image)
    assert blue < 0.7
    assert red > 1.0
    blue, _, red = _mean("cold cast", image)
    assert red < 0.8
    assert blue > 1.0


def test_motion_smears_sideways_only(image: Image) -> None:
    alter = ALTERED["motion blur"]
    assert alter is not None
    smeared = alter(image).astype(float)
    across, down = np.abs(np.diff(smeared, axis=1)).mean(), np.abs(np.diff(smeared, axis=0)).mean()
    assert across < down


def _person(colour: tuple[int, int, int]) -> Image:
    image = np.full((300, 200, 3), (200, 120, 60), np.uint8)  # a blue wall
    cv2.ellipse(image, (100, 45), (30, 38), 0, 0, 360, colour, -1)
    return image


BOX = np.array([40, 0, 160, 300], np.float32)


def test_lighter_skin_has_the_larger_angle() -> None:
    tones = [tone(_person(c), BOX) for c in ((60, 75, 110), (110, 140, 190), (170, 190, 230))]
    dark, medium, light = (t for t in tones if t is not None)
    assert dark < medium < light
    assert light > 41


def test_where_no_skin_is_seen_no_tone_is_told() -> None:
    assert tone(_person((200, 120, 60)), BOX) is None
    small = np.array([40, 0, 60, 40], np.float32)
    assert tone(_person((110, 140, 190)), small) is None
