"""Pictures become the model's input, and boxes come back to where they were."""

from typing import Any, Literal

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cleandesk.detector.letterbox import Letterbox
from cleandesk.detector.manifest import InputSpec

MEAN, STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)


def spec(
    resize: Literal["stretch", "letterbox"] = "stretch",
    colour: Literal["bgr", "rgb"] = "bgr",
    size: tuple[int, int] = (64, 48),
    pad: int = 114,
) -> InputSpec:
    width, height = size
    return InputSpec(
        width=width, height=height, mean=MEAN, std=STD, colour=colour, resize=resize, pad=pad
    )


def tensor(made: InputSpec) -> NDArray[np.float32]:
    return np.zeros((1, 3, made.height, made.width), np.float32)


def picture(width: int = 200, height: int = 100, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def values(pixels: NDArray[Any]) -> NDArray[Any]:
    """Say what the tensor should hold: per channel (v - mean) / std."""
    mean, std = np.array(MEAN, np.float32), np.array(STD, np.float32)
    return ((pixels.astype(np.float32) - mean) / std).transpose(2, 0, 1)


def test_stretch_fills_the_tensor() -> None:
    made, image = spec(), picture()
    target = tensor(made)
    fit = Letterbox(made, target).put(image)
    np.testing.assert_allclose(target[0], values(cv2.resize(image, (64, 48))), atol=1e-5)
    assert fit.scale == (64 / 200, 48 / 100)


def test_red_comes_first_where_the_model_wants_it() -> None:
    made, image = spec(colour="rgb"), picture()
    target = tensor(made)
    Letterbox(made, target).put(image)
    turned = cv2.resize(image, (64, 48))[..., ::-1]
    np.testing.assert_allclose(target[0], values(turned), atol=1e-5)


@pytest.mark.parametrize("size", [(200, 100), (100, 200), (3000, 2), (64, 48)])
def test_letterbox_keeps_the_shape_and_pads_both_sides(size: tuple[int, int]) -> None:
    made, image = spec("letterbox"), picture(*size)
    target = tensor(made)
    fit = Letterbox(made, target).put(image)
    canvas = np.full((48, 64, 3), 114, np.uint8)
    x, y = fit.offset
    w, h = round(fit.scale[0] * size[0]), round(fit.scale[1] * size[1])
    assert 64 - 2 * x - w in {0, 1}
    assert 48 - 2 * y - h in {0, 1}
    assert w == 64 or h == 48
    canvas[y : y + h, x : x + w] = cv2.resize(image, (w, h))
    np.testing.assert_allclose(target[0], values(canvas), atol=1e-5)


def test_one_picture_leaves_nothing_behind_for_the_next() -> None:
    made = spec("letterbox")
    used, fresh = tensor(made), tensor(made)
    letterbox = Letterbox(made, used)
    letterbox.put(picture(100, 200))
    letterbox.put(picture(200, 100))
    Letterbox(made, fresh).put(picture(200, 100))
    np.testing.assert_array_equal(used, fresh)


def test_a_cropped_view_is_taken_as_it_is_and_not_changed() -> None:
    made, image = spec(), picture()
    view, before = image[10:60, 20:90], image.copy()
    one, two = tensor(made), tensor(made)
    Letterbox(made, one).put(view)
    Letterbox(made, two).put(view.copy())
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(image, before)


@given(
    st.sampled_from(["stretch", "letterbox"]),
    st.integers(1, 500),
    st.integers(1, 500),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
)
def test_boxes_come_back_to_the_same_pixels(
    resize: Literal["stretch", "letterbox"], width: int, height: int, corners: list[float]
) -> None:
    made = spec(resize)
    fit = Letterbox(made, tensor(made)).put(np.zeros((height, width, 3), np.uint8))
    x1, x2 = sorted(corners[:2])
    y1, y2 = sorted(corners[2:])
    box = np.array([[x1 * width, y1 * height, x2 * width, y2 * height]], np.float32)
    inside = box * np.array(fit.scale * 2) + np.array(fit.offset * 2)
    np.testing.assert_allclose(fit.to_picture(inside.astype(np.float32)), box, atol=0.05)


def test_boxes_end_at_the_picture() -> None:
    made = spec("letterbox")
    fit = Letterbox(made, tensor(made)).put(picture(200, 100))
    everything = np.array([[-50, -50, 500, 500]], np.float32)
    assert fit.to_picture(everything).tolist() == [[0, 0, 200, 100]]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="a picture must be uint8"):
        Letterbox(spec(), tensor(spec())).put(image)
