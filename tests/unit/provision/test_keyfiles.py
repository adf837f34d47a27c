"""Keys and certificates on the disk."""

from pathlib import Path

import pytest

from cleandesk_fleet.provision import keyfiles, pki
from cleandesk_fleet.provision.errors import LockedError


def test_a_key_is_for_its_owner_alone_also_where_another_file_lay(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_text("readable by all")
    path.chmod(0o644)
    keyfiles.write_key(path, pki.new_key())
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["a.key"]


def test_a_missing_key_and_a_wrong_passphrase_are_told(tmp_path: Path) -> None:
    key = pki.new_key()
    keyfiles.write_key(tmp_path / "a.key", key, b"passphrase")
    with pytest.raises(LockedError, match="no certificate"):
        keyfiles.read_signer(tmp_path / "a.pem", tmp_path / "a.key")
