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
