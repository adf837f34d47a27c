"""Stages are kept, done again where what they are made of changed, and begun again when cut."""

import io
import os
import signal
from pathlib import Path

import pytest
from rich.console import Console

from image import debian, host, root
from image.errors import ImageError
from image.release import Release
from image.stages import Builder, Stage, digest_of


class Counted:
    """Makes files, and counts how often."""

    def __init__(self, *, fails: bool = False) -> None:
        self.times, self.fails = 0, fails

    def __call__(self, product: Path) -> None:
        self.times += 1
        product.write_text("half")
        if self.fails:
            raise OSError("the power went")
        product.write_text("whole")


def build(folder: Path, *stages: Stage) -> str:
    console = Console(file=io.StringIO(), width=200)
    Builder(folder, console).build(stages)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "name",
    ["pyproject.toml", "README.md", "device/a.py", "models/desk/x", "deploy/systemd/x.service"],
)
def test_the_root_is_made_anew_when_anything_in_it_changes(tmp_path: Path, name: str) -> None:
    for other in ("pyproject.toml", "README.md", "LICENSE", name):
        (tmp_path / other).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / other).write_text("1")
    before = Stage("others", "all that is not ours", (), Counted())
    release = Release("0.1.1", "c" * 40, 1)
    key = root.stage(tmp_path, tmp_path, release, before).key
    assert root.stage(tmp_path, tmp_path, release, before).key == key
    (tmp_path / name).write_text("2")
    assert root.stage(tmp_path, tmp_path, release, before).key != key


def test_a_stage_is_done_once_and_then_kept(tmp_path: Path) -> None:
    make = Counted()
    build(tmp_path, Stage("a", "first", ("x",), make))
    assert "[1/1] first: kept" in build(tmp_path, Stage("a", "first", ("x",), make))
    assert make.times == 1
    build(tmp_path, Stage("a", "first", ("y",), make))
    assert make.times == 2


def test_an_installed_debian_is_kept_when_the_repository_is_moved(tmp_path: Path) -> None:
    made_of = debian.stage("deb here", ["systemd"], tmp_path / "log").made_of
    assert not [part for part in made_of if str(debian.HERE) in part]


def test_what_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    make = Counted(fails=True)
    with pytest.raises(OSError, match="power"):
        build(tmp_path, Stage("a", "first", (), make))
    assert not (tmp_path / "a").exists()
    make.fails = False
    build(tmp_path, Stage("a", "first", (), make))
    assert (tmp_path / "a").read_text() == "whole"


def test_a_stage_is_done_again_after_one_that_it_is_made_of(tmp_path: Path) -> None:
    later = Counted()
    for first in ("x", "y"):
        one = Stage("a", "first", (first,), Counted())
        build(tmp_path, one, Stage("b", "second", (one.key,), later))
    assert later.times == 2


def test_of_two_builds_in_one_folder_the_second_is_refused(tmp_path: Path) -> None:
    def make(_: Path) -> None:
        with pytest.raises(ImageError, match="another build is at work"):
            build(tmp_path, Stage("b", "second", (), Counted()))
        raise OSError("the power went")

    with pytest.raises(OSError, match="power"):
        build(tmp_path, Stage("a", "first", (), make))
    build(tmp_path, Stage("a", "first", (), Counted()))


def test_what_outlives_a_build_keeps_the_next_one_out(tmp_path: Path) -> None:
    left: list[str] = []

    def make(product: Path) -> None:
        left.append(host.run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"]))
        product.touch()

    build(tmp_path, Stage("a", "first", (), make))
    try:
        with pytest.raises(ImageError, match="what is left of one"):
            build(tmp_path, Stage("b", "second", (), Counted()))
    finally:
        os.kill(int(left[0]), signal.SIGKILL)


def test_a_digest_tells_of_names_modes_and_contents(tmp_path: Path) -> None:
    path = tmp_path / "x"
    seen = set()
    for text, mode in (("1", 0o644), ("2", 0o644), ("2", 0o755)):
        path.write_text(text)
        path.chmod(mode)
        seen.add(digest_of(tmp_path))
    path.rename(tmp_path / "y")
    seen.add(digest_of(tmp_path))
    assert len(seen) == 4
