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


@needs_systemd
def test_no_unit_waits_for_itself(tmp_path: Path) -> None:
    copy_units(HERE.parent / "systemd", tmp_path)
    shutil.copytree(HERE / "root", tmp_path, dirs_exist_ok=True)
    subprocess.run(
        ["systemctl", f"--root={tmp_path}", "preset-all"], check=True, capture_output=True
    )
    enabled = {path.name for path in tmp_path.glob("etc/systemd/system/*.wants/*")}
    assert {"cleandesk-update.path", "cleandesk-update.timer"} <= enabled
    assert {"cleandesk-commit.service", "cleandesk-rollback.timer"} <= enabled
    folders = ("etc/systemd/system", "usr/lib/systemd/system")
    path = "".join(f"{tmp_path / folder}:" for folder in folders)  # then the machine's own
    done = subprocess.run(
        ["systemd-analyze", "verify", "multi-user.target"],
        env={"SYSTEMD_UNIT_PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if "ordering cycle" in line] == []
