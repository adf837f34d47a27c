"""Drawing into pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cleandesk import annotate
from cleandesk.detector.detections import Detections

NAMES = ("phone", "cup")


def seen(*boxes: tuple[float, float, float, float], size: tuple[int, int]) -> Detections:
    n = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.linspace(0.9, 0.5, n, dtype=np.float32),
        np.arange(n, dtype=np.int64) % 2,
        NAMES,
        size,
    )


def test_a_box_and_its_label_are_drawn_into_a_copy() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    drawn = annotate.draw(image, seen((50, 60, 150, 160), size=(300, 200)))
    assert not image.any()
    assert drawn[110, 50].any()
    assert drawn[110, 150].any()
    assert drawn[50, 60].any()
    assert not drawn[110, 100].any()
    assert not drawn[190, 290].any()


@pytest.mark.parametrize("box", [(0, 0, 20, 20), (280, 0, 300, 20), (290, 190, 300, 200)])
def test_a_label_stays_inside_the_picture(box: tuple[int, int, int, int]) -> None:
    image = np.full((200, 300, 3), 128, np.uint8)
    one = annotate.draw(image, seen(box, size=(300, 200)))
    changed = (one != image).any(axis=2)
    assert changed.sum() > 60 * 12, "the label's area is missing"


def test_two_classes_have_two_colours() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    boxes = ((50, 50, 150, 150), (250, 250, 350, 350))
    drawn = annotate.draw(image, seen(*boxes, size=(400, 400)))
    assert drawn[100, 50].tolist() != drawn[300, 250].tolist()


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    image = np.full((40, 60, 3), 200, np.uint8)
    annotate.write(image, tmp_path / "ä.jpg")
    back = cv2.imdecode(np.fromfile(tmp_path / "ä.jpg", np.uint8), cv2.IMREAD_COLOR)
    assert back is not None
    assert back.shape == image.shape


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        annotate.write(np.zeros((4, 4, 3), np.uint8), tmp_path / "no" / "a.jpg")
