"""A teacher's finds are told in our classes."""

from typing import Any

import numpy as np

from models.evaluation.teachers import Teacher

COCO = ["person", "handbag", "backpack", "cell phone", "chair"]
IMAGE = np.zeros((48, 64, 3), np.uint8)


def teacher(*rows: list[float]) -> Teacher:
    def find(_image: Any, thr: float) -> Any:
        return np.array([r for r in rows if r[4] >= thr], np.float32).reshape(-1, 6)

    return Teacher("t", find, COCO)


def test_names_are_ours_and_unknown_classes_are_left_out() -> None:
    seen = teacher([0, 0, 9, 9, 0.9, 3], [20, 20, 30, 30, 0.8, 4]).find(IMAGE)
    assert [(name, box) for name, _, box in seen] == [("phone", (0, 0, 9, 9))]
    assert seen.size == (64, 48)


def test_handbag_and_backpack_at_one_place_are_one_bag() -> None:
    seen = teacher([0, 0, 9, 9, 0.9, 1], [0, 0, 9, 9, 0.8, 2], [30, 30, 40, 40, 0.5, 2]).find(IMAGE)
    assert [name for name, _, _ in seen] == ["bag", "bag"]
    assert seen.scores.tolist() == [np.float32(0.9), np.float32(0.5)]
