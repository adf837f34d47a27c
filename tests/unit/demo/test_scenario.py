"""The demo removes its own things and nobody else's."""

from pathlib import Path

import pytest

from demo.scenario import Files, FolderError


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    Files(tmp_path / "a" / "b").make_room()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_an_earlier_demo_is_removed(tmp_path: Path) -> None:
    files = Files(tmp_path)
    for path in (files.box, files.subscriber, tmp_path / "old.jpg"):
        path.touch()
    files.make_room()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(FolderError, match="other things"):
        Files(tmp_path).make_room()
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"
