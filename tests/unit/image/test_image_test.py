"""`make image-test` fails where it cannot test, and passes nothing that it has not tried."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _collect(**more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "tests/qemu", "--collect-only", "-q", "-n", "0"]
    env = {name: value for name, value in os.environ.items() if name != "IMAGE"} | more
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300
    )


def test_a_program_that_is_missing_is_no_reason_to_pass(tmp_path: Path) -> None:
    done = _collect(IMAGE=str(tmp_path / "cleandesk.img"), PATH=str(tmp_path))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "qemu-system-aarch64" in done.stdout + done.stderr
    assert _collect(PATH=str(tmp_path)).returncode == pytest.ExitCode.OK, "it was not asked for"
