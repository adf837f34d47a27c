"""Boxes of whole pixels: none is lost, none lies outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.evidence.boxes import Box, moved, shared, square, widened

FRAME: Box = (0, 0, 640, 480)
numbers = st.floats(-1000, 1000)


@pytest.mark.parametrize(
    ("box", "share", "pixels", "wanted"),
    [
        ((10.2, 10.9, 20.1, 20.0), 0, 0, (10, 10, 21, 20)),
        ((100, 100, 200, 300), 0.1, 5, (85, 75, 215, 325)),
        ((-50, 470, 30, 600), 0, 0, (0, 470, 30, 480)),
        ((700, 10, 800, 20), 0, 0, None),
        ((641, 10, 645, 20), 0, 4, (637, 6, 640, 24)),
    ],
)
def test_widening(
    box: tuple[float, float, float, float], share: float, pixels: float, wanted: Box | None
) -> None:
    assert widened(box, FRAME, share=share, pixels=pixels) == wanted


@given(numbers, numbers, st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 2))
def test_a_widened_box_holds_what_of_the_box_lies_in_the_frame(
    x: float, y: float, width: float, height: float, share: float
) -> None:
    got = widened((x, y, x + width, y + height), FRAME, share=share)
    if got is None:
        assert x >= 640 or y >= 480 or x + width <= 0 or y + height <= 0 or width * height == 0
        return
    assert shared(got, FRAME) == got
    assert got[0] <= max(x, 0)
    assert got[1] <= max(y, 0)
    assert got[2] >= min(x + width, 640)
    assert got[3] >= min(y + height, 480)


@given(st.integers(0, 600), st.integers(0, 440), st.integers(1, 40), st.floats(1, 900))
def test_a_square_lies_within_and_around(x: int, y: int, size: int, side: float) -> None:
    box = (x, y, x + size, y + size)
    got = square(box, FRAME, side)
    assert shared(got, FRAME) == got
    if side >= size:
        assert shared(got, box) == box


def test_moving() -> None:
    assert moved((1, 2, 3, 4), 10, 20) == (11, 22, 13, 24)
