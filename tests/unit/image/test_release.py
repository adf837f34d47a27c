"""An image says of which commit it is, and where that is not all of it."""

import subprocess
from pathlib import Path

from image import release


def _git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True)


def test_what_was_not_committed_is_in_no_commits_image(tmp_path: Path) -> None:
    _git(tmp_path, "init")
    (tmp_path / "x").write_text("1")
    _git(tmp_path, "add", "x")
    _git(tmp_path, "commit", "-m", "First")
    clean = release.of(tmp_path)
    assert len(clean.commit) == 40
    assert clean.version == f"0.1.{clean.epoch}"
    (tmp_path / "x").write_text("2")
    assert release.of(tmp_path).commit == f"{clean.commit}+changes"
