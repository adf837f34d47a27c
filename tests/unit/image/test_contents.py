"""The bill of materials, and our Python programs."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from image import python, sbom
from image.errors import ImageError
from image.release import Release

RELEASE = Release("0.1.1767225600", "c" * 40, 1767225600)
STATUS = """\
Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <x@example.org>
Architecture: arm64
Version: 2.41-12+deb13u1

Package: passwd
Status: install ok installed
Maintainer: Shadow <y@example.org>
Architecture: arm64
Version: 1:4.17.4-2
Description: change and administer password and group data
 More of it.

Package: gone
Status: deinstall ok config-files
Maintainer: Nobody <z@example.org>
Architecture: all
Version: 1
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Return a wheel like ours, whose program says who runs it."""
    path = tmp_path / "cleandesk-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cleandesk/__init__.py", "")
        archive.writestr(
            "cleandesk/cli.py", "def main() -> int:\n    print('here')\n    return 3\n"
        )
        archive.writestr("cleandesk_fleet/__init__.py", "")
        archive.writestr(
            "cleandesk-0.1.0.dist-info/entry_points.txt",
            "[console_scripts]\ncleandesk = cleandesk.cli:main\n"
            "cleandesk-page = cleandesk.cli:main\ncleandesk-subscriber = cleandesk.cli:main\n",
        )
        archive.writestr(
            "cleandesk-0.1.0.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: cleandesk\nVersion: 0.1.0\n",
        )
        archive.writestr("cleandesk-0.1.0.dist-info/RECORD", "")
    return path


def test_a_box_gets_its_own_programs_and_no_others(tmp_path: Path, wheel: Path) -> None:
    root = tmp_path / "root"
    (root / python.HOME / "bin").mkdir(parents=True)
    python.unpack(root, wheel)
    site = root / python.SITE
    assert {path.name for path in site.iterdir()} == {
        "cleandesk",
        "cleandesk-0.1.0.dist-info",
    }
    programs = root / "opt/cleandesk/bin"
    assert {path.name for path in programs.iterdir()} == {"cleandesk", "cleandesk-page"}
    assert (programs / "cleandesk").stat().st_mode & 0o111
    # As the box would, but for the path of its Python.
    done = subprocess.run(
        [sys.executable, programs / "cleandesk"],
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "here\n")


def test_a_wheel_without_a_program_is_refused(tmp_path: Path, wheel: Path) -> None:
    poor = tmp_path / "cleandesk-0.1.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(poor, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode().replace("cleandesk-page = ", "other = ")
            new.writestr(name, text)
    with pytest.raises(ImageError, match="cleandesk-page"):
        python.unpack(tmp_path / "root", poor)


def test_the_bill_names_what_is_installed_and_how(tmp_path: Path, wheel: Path) -> None:
    root = tmp_path / "root"
    (root / python.HOME / "bin").mkdir(parents=True)
    python.unpack(root, wheel)
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(STATUS)
    product = tmp_path / "sbom.json"
    assert sbom.write(root, RELEASE, product) == 3
    bill = json.loads(product.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {one["purl"] for one in bill["components"]} == {
        "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=arm64&distro=debian-13",
        "pkg:deb/debian/passwd@1%3A4.17.4-2?arch=arm64&distro=debian-13",
        "pkg:pypi/cleandesk@0.1.0",
    }
    first = product.read_bytes()
    sbom.write(root, RELEASE, product)
    assert product.read_bytes() == first
