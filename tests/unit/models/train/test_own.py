"""Our own labels, as they are written and as they are refused."""

import json
from pathlib import Path

import pytest

from models.train.labels import LEARNT
from models.train.own import SOUGHT, OwnLabelsError, file_of, read_own_labels
from models.train.sample import unsure


def labels(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_class_is_known_or_with_a_question_mark_ignored(tmp_path: Path) -> None:
    path = labels(tmp_path, {"a.jpg": [["paper", 1, 2, 30, 40], ["?pen", 5, 6, 9, 20]]})
    ours = read_own_labels(path)["a.jpg"]
    assert list(ours.boxes) == [(1, 2, 30, 40), (5, 6, 9, 20)]
    assert list(ours.labels) == [LEARNT.index("paper"), unsure(LEARNT.index("pen"))]


def test_a_picture_in_which_nothing_lies_is_listed_too(tmp_path: Path) -> None:
    assert read_own_labels(labels(tmp_path, {"a.jpg": []}))["a.jpg"].labels == ()


@pytest.mark.parametrize(
    ("note", "said"), [(["spoon", 0, 0, 9, 9], "spoon"), (["pen", 9, 0, 9, 9], "'pen' is empty")]
)
def test_a_broken_label_is_named(tmp_path: Path, note: list[object], said: str) -> None:
    with pytest.raises(OwnLabelsError, match=rf"a\.jpg: .*{said}"):
        read_own_labels(labels(tmp_path, {"a.jpg": [note]}))


@pytest.mark.parametrize("name", SOUGHT)
def test_the_committed_labels_name_what_was_sought(name: str) -> None:
    ours = read_own_labels(file_of(name))
    said = {label for one in ours.values() for label in one.labels}
    sought = {LEARNT.index(name) for name in SOUGHT[name]}
    assert {LEARNT.index("notebook"), unsure(LEARNT.index("paper"))} <= said
    assert said <= sought | {unsure(label) for label in sought}
