"""Sets are read by our names; what is wrong with one is said with a fix."""

import json
from pathlib import Path

import pytest

from models.evaluation import sets
from models.evaluation.sets import EvaluationError, read_set
from tests.unit.models.evaluation.makers import make_set


def test_labels_are_read_by_our_names(tmp_path: Path) -> None:
    read = read_set("s", make_set(tmp_path / "s"))
    (only,) = read.pictures
    books = only.of("notebook")
    assert books.boxes.tolist() == [[1, 2, 31, 22], [10, 20, 40, 40]]
    assert books.ignored.tolist() == [True, False]
    assert only.of("bag").boxes.tolist() == [[0, 0, 5, 5]]
    assert list(only.others) == ["zebra"]
    assert read.labelled == {"notebook", "bag"}
    assert (read.count("notebook"), read.count("phone")) == (1, 0)


def test_labels_of_our_own_are_laid_over(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s", ["a.png", "b.png"])
    note = {"file_name": "b.png", "category": "paper", "bbox": [1, 1, 4, 4], "iscrowd": 0}
    extra = tmp_path / "extra.json"
    categories = [{"id": 2, "name": "paper"}, {"id": 5, "name": "pen"}]
    extra.write_text(json.dumps({"categories": categories, "annotations": [note]}), "utf-8")
    read = read_set("s", folder, extra)
    assert [len(p.of("paper").boxes) for p in read.pictures] == [0, 1]
    assert {"paper", "pen", "notebook"} <= read.labelled


def test_lookalikes_come_from_the_pictures_own_label_files(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s")
    record = {"lookalikes": [{"name": "wallet", "bbox": [1, 2, 3, 4]}]}
    (folder / "labels" / "a.json").write_text(json.dumps(record), encoding="utf-8")
    (only,) = read_set("s", folder).pictures
    assert only.others["wallet"].boxes.tolist() == [[1, 2, 4, 6]]


def test_of_the_stationery_only_sheets_and_notebooks_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_set(tmp_path / "s")
    note = {"file_name": "a.png", "category": "paper", "bbox": [1, 1, 4, 4], "iscrowd": 0}
    categories = [{"id": 2, "name": "paper"}]
    written = json.dumps({"categories": categories, "annotations": [note]})
    (tmp_path / "extra.json").write_text(written, encoding="utf-8")
    monkeypatch.setattr(sets, "STATIONERY", folder)
    monkeypatch.setattr(sets, "SHEETS", tmp_path / "extra.json")
    read = sets.sheets()
    (only,) = read.pictures
    assert set(only.things) == read.labelled == {"paper", "notebook"}
    assert only.of("paper").boxes.tolist() == [[1, 1, 5, 5]]


def test_photographs_count_among_the_kept_only_where_they_were_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_set(tmp_path / "s")
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps({"categories": [], "annotations": []}), encoding="utf-8")
    for name in ("OFFICES", "PENS", "STATIONERY"):
        monkeypatch.setattr(sets, name, folder)
    monkeypatch.setattr(sets, "SHEETS", extra)
    monkeypatch.setattr(sets, "PHOTOGRAPHS", tmp_path / "photographs")
    assert set(sets.kept_from_training()) == {"ceiling", "pens", "sheets"}
    with pytest.raises(EvaluationError, match="make photographs"):
        sets.photographs()
    fetched = make_set(tmp_path / "photographs") / "instances.json"
    with pytest.raises(EvaluationError, match="from before"):
        sets.kept_from_training()
    monkeypatch.setattr(sets, "PHOTOGRAPHED", fetched)
    kept = sets.kept_from_training()["photographs"]
    assert [p.path.name for p in kept.pictures] == ["a.png"]
    assert kept.name == sets.photographs().name


def test_a_part_holds_only_the_files_that_are_named(tmp_path: Path) -> None:
    read = read_set("s", make_set(tmp_path / "s", ["a.png", "b.png"]))
    part = read.part("half", frozenset({"b.png"}))
    assert ([p.path.name for p in part.pictures], part.name) == (["b.png"], "s-half")


@pytest.mark.parametrize("text", [None, "{"])
def test_a_missing_or_broken_set_is_named_with_a_fix(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "instances.json").write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"instances\.json.*models\.scenes"):
        read_set("s", tmp_path)
