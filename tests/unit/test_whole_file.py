"""Files that are there as a whole, old or new."""

import os
from pathlib import Path

import pytest

from cleandesk import whole_file


def test_a_secret_is_its_owners_alone_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "key"
    whole_file.write(path, b"old", whole_file.SECRET)
    with path.open("rb") as reader:
        whole_file.write(path, b"new", whole_file.SECRET)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("moved", [False, True])
def test_a_file_is_synced_under_the_name_that_it_keeps_and_so_is_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, moved: bool
) -> None:
    path, synced, sync = tmp_path / "key", list[tuple[int, bool]](), os.fsync
    if moved:
        (tmp_path / "other").write_bytes(b"x")

    def note(handle: int) -> None:
        synced.append((os.fstat(handle).st_ino, path.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    if moved:
        whole_file.move(tmp_path / "other", path)
    else:
        whole_file.write(path, b"x")
    assert path.read_bytes() == b"x"
    assert synced[-2:] == [(path.stat().st_ino, True), (tmp_path.stat().st_ino, True)]
    assert moved or synced[0] == (path.stat().st_ino, False)


def test_a_draft_that_a_power_cut_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".key.new").write_bytes(b"half")
    whole_file.write(tmp_path / "key", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    assert (tmp_path / "key").read_bytes() == b"whole"


def test_what_cannot_be_written_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(IsADirectoryError):
        whole_file.write(tmp_path / "key", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for others")
def test_what_root_writes_belongs_to_the_folders_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    whole_file.write(tmp_path / "key", b"x")
    found = (tmp_path / "key").stat()
    assert (found.st_uid, found.st_gid) == (1234, 1234)


def test_a_file_is_removed_once_and_again(tmp_path: Path) -> None:
    whole_file.write(tmp_path / "key", b"x")
    whole_file.remove(tmp_path / "key")
    whole_file.remove(tmp_path / "key")
    assert not list(tmp_path.iterdir())
