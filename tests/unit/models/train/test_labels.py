"""Names of the sets become our classes, and what a set knows is said for every class."""

import pytest

from models.scenes.classes import CLASSES
from models.scenes.classes import CLASSES as SCENE_CLASSES
from models.train.labels import COCO_OF, Known, class_index, mask_of
from models.train.sample import codes


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("PEN", "pen"),
        ("pencil", "pen"),
        ("Computer-mouse", "mouse"),
        ("cell phone", "phone"),
        ("tv", "monitor"),
        ("book", "notebook"),
    ],
)
def test_a_sets_own_name_finds_our_class(name: str, ours: str) -> None:
    index = class_index(name)
    assert index is not None
    assert CLASSES[index] == ours


@pytest.mark.parametrize("name", ["chair", "wallet", "ruler", "ID-card", ""])
def test_other_things_are_no_class(name: str) -> None:
    assert class_index(name) is None


def test_renderer_and_training_agree_on_the_classes() -> None:
    assert CLASSES == SCENE_CLASSES


def test_mask_flags_the_labelled_classes_only() -> None:
    assert [c for c, flag in zip(CLASSES, mask_of(("pen", "phone")), strict=True) if flag] == [
        "phone",
        "pen",
    ]


def test_mask_refuses_a_class_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="stapler"):
        mask_of(("pen", "stapler"))


def test_unlabelled_classes_follow_the_teacher_where_it_knows_them() -> None:
    known = dict(zip(CLASSES, codes(labelled=("phone",), weak=("paper", "pen")), strict=True))
    assert known["phone"] == Known.LABELLED
    assert known["paper"] == known["pen"] == Known.WEAK
    others = set(CLASSES) - {"phone", "paper", "pen"}
    assert others <= set(COCO_OF)
    assert {known[c] for c in others} == {Known.TEACHER}


def test_a_class_that_the_teacher_does_not_know_cannot_be_left_to_it() -> None:
    with pytest.raises(ValueError, match="pen"):
        codes(labelled=("phone", "paper"))
