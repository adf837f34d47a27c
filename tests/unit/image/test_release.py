"""An image says of which commit it is, and where that is not all of it."""

import os
import subprocess
from pathlib import Path

from cleandesk.contract.bundle import Version
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
    dirty = release.of(tmp_path)
    assert dirty.commit == f"{clean.commit}+changes"
    assert release.of(tmp_path) == dirty, "it is built once"
    assert Version.parse(dirty.version) > Version.parse(clean.version)
    os.utime(tmp_path / "x", (clean.epoch + 50, clean.epoch + 50))
    (tmp_path / "a new one").touch()
    os.utime(tmp_path / "a new one", (clean.epoch + 60, clean.epoch + 60))
    assert release.of(tmp_path).version == f"0.1.{clean.epoch + 60}"
    (tmp_path / "x").unlink()
    (tmp_path / "a new one").unlink()
    assert release.of(tmp_path).version == f"0.1.{clean.epoch + 1}"
