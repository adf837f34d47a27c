"""All units of the image together, as its presets enable them: systemd finds an order for them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from image.debian import HERE
from image.root import copy_units

needs_systemd = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("systemd-analyze", "systemctl")),
    reason="apt install systemd",
)


@needs_systemd
def test_no_unit_waits_for_itself(tmp_path: Path) -> None:
    copy_units(HERE.parent / "systemd", tmp_path)
    shutil.copytree(HERE / "root", tmp_path, dirs_exist_ok=True)
    subprocess.run(
        ["systemctl", f"--root={tmp_path}", "preset-all"], check=True, capture_output=True
    )
    enabled = {path.name for path in tmp_path.glob("etc/systemd/system/*.wants/*")}
    assert {"slot.service", "cleandesk-update.path", "cleandesk-update.timer"} <= enabled
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
