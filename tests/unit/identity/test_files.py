"""Files that are whole, wiped, or kept from others."""

import os
from pathlib import Path

import pytest

from cleandesk.identity import files
from cleandesk.identity.errors import Code, IdentityError


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(IdentityError) as caught:
        files.write(tmp_path / "key", b"x")
    assert (caught.value.code, caught.value.exit_code) == (Code.DISK, 75)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_wiped_file_was_zeros_before_it_went(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    path.write_bytes(b"a secret")
    os.link(path, tmp_path / "the same blocks")
    files.wipe(path)
    files.wipe(path)
    assert not path.exists()
    assert (tmp_path / "the same blocks").read_bytes() == bytes(8)


def test_what_blocks_inside_is_not_another_claim(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), files.folder(tmp_path / "identity"):
        raise BlockingIOError(11, "a socket that was not ready")


def test_two_do_not_work_in_one_folder(tmp_path: Path) -> None:
    home = tmp_path / "etc" / "identity"
    with files.folder(home):
        with pytest.raises(IdentityError) as caught, files.folder(home):
            pass
        assert caught.value.code is Code.BUSY
    with files.folder(home):
        assert home.stat().st_mode & 0o777 == 0o700
