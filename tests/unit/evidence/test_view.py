"""What is found in a turned part of a picture lies in the picture where it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.evidence.view import TURNS, View, views


@given(st.sampled_from(TURNS), st.integers(0, 30), st.integers(0, 20), st.data())
def test_boxes_go_back_to_where_they_were(
    turns: int, left: int, top: int, data: st.DataObject
) -> None:
    part = left, top, left + 50, top + 37
    x = data.draw(st.integers(left, left + 45))
    y = data.draw(st.integers(top, top + 32))
    image = np.zeros((80, 100, 3), np.uint8)
    image[y : y + 3, x : x + 5] = 255
    view = View(part, turns)
    rows, columns = np.nonzero(view.of(image)[..., 0])
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_array_equal(view.back(np.array([found], np.float32)), [[x, y, x + 5, y + 3]])


def test_no_boxes_go_back_to_none() -> None:
    assert View((0, 0, 9, 9), 3).back(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_a_part_that_is_named_twice_is_looked_at_once() -> None:
    assert len(views((0, 0, 9, 9), (0, 0, 9, 9), (1, 1, 5, 5))) == 2 * len(TURNS)
