"""Names of the sets become our classes, and what a set knows is said for every class."""

import pytest

from models.scenes.classes import CLASSES
from models.train.labels import COCO_OF, KEPT, LEARNT, STAND_INS, Known, class_index, mask_of
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
        ("ID-card", "card"),
        ("handbag", "bag"),
    ],
)
def test_a_sets_own_name_finds_our_class(name: str, ours: str) -> None:
    index = class_index(name)
    assert index is not None
    assert CLASSES[index] == ours


@pytest.mark.parametrize("name", ["chair", "wallet", "ruler", ""])
def test_other_things_are_no_class(name: str) -> None:
    assert class_index(name) is None


def test_mask_flags_the_named_classes_only() -> None:
    assert [c for c, flag in zip(LEARNT, mask_of(("pen", "phone")), strict=True) if flag] == [
        "phone",
        "pen",
    ]


@pytest.mark.parametrize("name", ["stapler", "person"])
def test_mask_refuses_what_is_not_learnt(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        mask_of(("pen", name))


def test_unlabelled_classes_follow_the_teacher_where_it_knows_them() -> None:
    unknown = tuple(c for c in LEARNT if c not in COCO_OF)
    known = dict(zip(LEARNT, codes(labelled=("phone",), weak=unknown), strict=True))
    assert known["phone"] == Known.LABELLED
    assert known["paper"] == known["pen"] == Known.WEAK
    assert known["notebook"] == Known.TEACHER


def test_a_class_that_the_teacher_does_not_know_cannot_be_left_to_it() -> None:
    with pytest.raises(ValueError, match="pen"):
        codes(labelled=("phone", "paper"))


def test_what_is_kept_is_what_coco_knows() -> None:
    assert (*LEARNT, *KEPT) == CLASSES
    assert set(KEPT) <= set(COCO_OF)
    assert set(STAND_INS) == set(LEARNT) - set(COCO_OF)
