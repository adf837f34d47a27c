"""The folder of stills, which several machines may share."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from cleandesk import whole_file
from cleandesk_fleet.subscriber.pictures import Pictures

HOUR_S = 3600.0
NAMES = [f"{number:064x}" for number in range(3)]


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Hold files that are long old, and have no row."""
    kept = Pictures(tmp_path / "stills")
    for name in NAMES:
        kept.put(name, "image/jpeg", b"of a commit that failed")
        os.utime(kept.path(name, "image/jpeg"), (0, 0))
    return kept


def test_a_picture_that_another_writer_comes_to_need_meanwhile_stays(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its box sends it again while the files before it go."""
    paths = [pictures.path(name, "image/jpeg") for name in NAMES]
    unlink = Path.unlink

    def slowly(path: Path, **more: Any) -> None:
        unlink(path, **more)
        if path != paths[2]:
            Pictures(pictures.folder).put(NAMES[2], "image/jpeg", b"of a commit that failed")

    monkeypatch.setattr(Path, "unlink", slowly)
    assert pictures.drop(paths, older_than_s=HOUR_S) == 2
    assert [path.exists() for path in paths] == [False, False, True]
    assert paths[2].stat().st_mtime > time.time() - HOUR_S


def test_a_draft_that_became_a_picture_meanwhile_is_no_failure(pictures: Pictures) -> None:
    draft = pictures.folder / ".draft-77"
    whole_file.write(draft, b"half")
    (found,) = [path for path in pictures.files() if path == draft]
    draft.rename(pictures.path("f" * 64, "image/jpeg"))
    assert pictures.drop([found]) == 0
