"""All units of the image together, as its presets enable them: systemd finds an order for them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cleandesk.control.software import Where
from image.debian import HERE
from image.root import copy_units
from image.slots import COMMITTED

needs_systemd = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("systemd-analyze", "systemctl")),
    reason="apt install systemd",
)


def _conditions(unit: str) -> set[str]:
    lines = (HERE.parent / "systemd" / unit).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line.startswith("Condition")}


@pytest.mark.parametrize("unit", ["cleandesk-commit.service", "cleandesk-rollback.service"])
def test_what_decides_about_an_update_needs_no_program_of_it_to_know_that_it_is_one(
    unit: str,
) -> None:
    assert _conditions(unit) == {
        "ConditionKernelCommandLine=cleandesk.trial",
        f"ConditionPathExists=!{COMMITTED}",
    }
    assert Where().committed == COMMITTED
    assert "cleandesk.trial" in (HERE / "boot.cmd").read_text(encoding="ascii")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with the units of an image, those enabled that its presets name."""
    copy_units(HERE.parent / "systemd", tmp_path)
    shutil.copytree(HERE / "root", tmp_path, dirs_exist_ok=True)
    subprocess.run(
        ["systemctl", f"--root={tmp_path}", "preset-all"], check=True, capture_output=True
    )
    return tmp_path


def _found(root: Path, unit: str) -> list[str]:
    """Return what systemd has to say of a unit and of all that it starts, with our units first."""
    folders = ("etc/systemd/system", "usr/lib/systemd/system")
    path = "".join(f"{root / folder}:" for folder in folders)  # then the machine's own
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        env={"SYSTEMD_UNIT_PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.splitlines()


def _cycles(root: Path) -> list[str]:
    return [line for line in _found(root, "multi-user.target") if "ordering cycle" in line]


@needs_systemd
def test_no_unit_waits_for_itself(root: Path) -> None:
    enabled = {path.name for path in root.glob("etc/systemd/system/*.wants/*")}
    assert {"cleandesk-update.path", "cleandesk-update.timer"} <= enabled
    assert {"cleandesk-commit.service", "cleandesk-rollback.timer"} <= enabled
    planted = root / "usr/lib/systemd/system/cleandesk.service.d/99-planted.conf"
    planted.write_text("[Unit]\nBefore=cleandesk-claim.service\n")
    assert _cycles(root) != [], "the search finds one"
    planted.unlink()
    assert _cycles(root) == []


@needs_systemd
def test_systemd_takes_every_line_of_the_boxs_unit(root: Path) -> None:
    unit = root / "usr/lib/systemd/system/cleandesk.service"

    def said() -> list[str]:
        lines = _found(root, "cleandesk.service")
        # Its program is not on the tests' machine.
        return [
            line
            for line in lines
            if "cleandesk.service" in line and "is not executable" not in line
        ]

    assert said() == []
    unit.write_text(unit.read_text().replace("ExecStopPost=", "ExecStoppedPost="))
    assert any("ExecStoppedPost" in line for line in said()), "the search finds one"
