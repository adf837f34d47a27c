"""What a machine that builds must have, and where it has Debian from."""

from pathlib import Path

import pytest

from image import host
from image.errors import ImageError

DEBIAN = """\
Debian|Debian|http://mirror.example/debian/
Debian|Debian|http://mirror.example/debian/
Debian|Debian-Security|http://mirror.example/security/
Grafana|Grafana|http://other.example/
"""
UBUNTU = "Ubuntu|Ubuntu|http://archive.example/ubuntu/\n"


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file whose text this machine's apt says of its mirrors."""
    said, program = tmp_path / "said", tmp_path / "apt-get"
    program.write_text(f"#!/bin/sh\nexec cat {said}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return said


def test_on_debian_its_own_mirrors_are_used(apt: Path) -> None:
    apt.write_text(DEBIAN)
    assert host.debian_sources("trixie", "main").splitlines() == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb http://mirror.example/security/ trixie-security main",
    ]


def test_elsewhere_it_is_told_which_lines_to_write(apt: Path) -> None:
    apt.write_text(UBUNTU)
    with pytest.raises(ImageError, match=rf"'deb \[signed-by={host.KEYS}\] MIRROR trixie main'"):
        host.debian_sources("trixie", "main")


def test_without_debians_keys_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys.gpg"
    monkeypatch.setattr(host, "KEYS", keys)
    assert "debian-archive-keyring" in host.missing_packages()
    keys.touch()
    assert "debian-archive-keyring" not in host.missing_packages()
