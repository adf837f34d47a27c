"""Our own labels make a picture without a list into one that is wholly known."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.train.labels import LEARNT, Known
from models.train.own import LABELS, OwnLabelsError, label_of, with_own_labels
from models.train.sample import codes
from models.train.sets import Item

WEAK = codes(weak=tuple(c for c in LEARNT if c not in ("phone", "notebook")))


def items(*names: str) -> list[Item]:
    return [Item(Path(name), (), (), WEAK) for name in names]


def labels(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_named_picture_is_known_and_another_stays_as_it_was(tmp_path: Path) -> None:
    path = labels(tmp_path, {"a.jpg": [["paper", 1, 2, 30, 40], ["?pen", 5, 6, 9, 20]]})
    named, other = with_own_labels(items("a.jpg", "b.jpg"), path)
    assert list(named.boxes) == [(1, 2, 30, 40), (5, 6, 9, 20)]
    assert list(named.labels) == [LEARNT.index("paper"), -1]
    assert set(named.known) == {Known.LABELLED}
    assert np.array_equal(other.known, WEAK)
    assert not other.boxes


def test_an_empty_list_says_that_nothing_is_there(tmp_path: Path) -> None:
    (item,) = with_own_labels(items("a.jpg"), labels(tmp_path, {"a.jpg": []}))
    assert not item.labels
    assert set(item.known) == {Known.LABELLED}


@pytest.mark.parametrize(
    ("note", "said"), [(["spoon", 0, 0, 9, 9], "spoon"), (["pen", 9, 0, 9, 9], "a.jpg")]
)
def test_a_broken_label_is_named(tmp_path: Path, note: list[object], said: str) -> None:
    with pytest.raises(OwnLabelsError, match=said):
        with_own_labels(items("a.jpg"), labels(tmp_path, {"a.jpg": [note]}))


def test_the_committed_labels_are_whole() -> None:
    notes = json.loads(LABELS.read_text(encoding="utf-8"))
    flat = [note for of_one in notes.values() for note in of_one]
    assert all(x0 < x1 and y0 < y1 for _, x0, y0, x1, y1 in flat)
    assert {label_of(name) for name, *_ in flat} >= {-1, LEARNT.index("paper")}
