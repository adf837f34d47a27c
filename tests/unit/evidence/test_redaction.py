"""What a plan hides has no influence on the picture, whatever it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.evidence.boxes import Box
from cleandesk.evidence.redaction import BLOCKS, FILL, LEAST_BLOCK, Plan, draw, pixelated

HEIGHT, WIDTH = 120, 160
CROP: Box = (20, 10, 140, 110)
THING: Box = (60, 40, 100, 80)


@st.composite
def boxes(draw_: st.DrawFn) -> Box:
    x1, x2 = sorted(draw_(st.lists(st.integers(0, WIDTH), min_size=2, max_size=2, unique=True)))
    y1, y2 = sorted(draw_(st.lists(st.integers(0, HEIGHT), min_size=2, max_size=2, unique=True)))
    return x1, y1, x2, y2


def _noise(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


@given(st.lists(boxes(), max_size=4), st.booleans(), st.integers(0, 99))
def test_hidden_pixels_have_no_influence(filled: list[Box], alone: bool, seed: int) -> None:  # noqa: FBT001
    plan = Plan(CROP, THING, tuple(filled), alone)
    frame, other = _noise(seed), _noise(seed)
    for x1, y1, x2, y2 in filled:
        other[y1:y2, x1:x2] = 255 - other[y1:y2, x1:x2]
    if not alone:
        kept = other[40:80, 60:100].copy()
        other[:] = 7
        other[40:80, 60:100] = kept
    np.testing.assert_array_equal(draw(frame, plan), draw(other, plan))


@given(st.lists(boxes(), max_size=4), st.booleans())
def test_hidden_pixels_are_filled_and_the_rest_of_the_thing_is_shown(
    filled: list[Box],
    alone: bool,  # noqa: FBT001
) -> None:
    plan = Plan(CROP, THING, tuple(filled), alone)
    frame = _noise(1)
    picture, hidden = draw(frame, plan), plan.hidden()
    assert (picture[hidden] == FILL).all()
    shown = ~hidden[30:70, 40:80]
    np.testing.assert_array_equal(picture[30:70, 40:80][shown], frame[40:80, 60:100][shown])
    assert plan.shown() == pytest.approx(shown.mean())


def test_the_frame_is_left_as_it_was() -> None:
    frame = _noise(1)
    draw(frame, Plan(CROP, THING, ((0, 0, 80, 80),), alone=True))
    np.testing.assert_array_equal(frame, _noise(1))


@pytest.mark.parametrize(("height", "width"), [(40, 40), (100, 120), (700, 400), (9, 300)])
def test_blocks_are_coarse(height: int, width: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    block = max(LEAST_BLOCK, -(-max(height, width) // BLOCKS))
    colours = np.unique(pixelated(picture).reshape(-1, 3), axis=0)
    assert len(colours) <= -(-height // block) * -(-width // block) <= BLOCKS**2
