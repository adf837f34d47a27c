"""An outbox that another process holds for good: what the box ends with, and its unit then does."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from cleandesk import durable
from cleandesk.clock import Instant
from cleandesk.control import starts
from cleandesk.control.held import PAUSE_S, REBOOT_AFTER_S, Held
from cleandesk.link import opening
from cleandesk.speaking import EXIT_FAILED, EXIT_HELD
from image.debian import HERE
from tests.unit.control.make import OWN
from tests.unit.worker.make import BOOT, OTHER_BOOT, START

#: Holds what it is told to, as a process does that hangs and cannot be killed.
_HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
#: The box's program, for which ten minutes are over with its second start.
_SOON = """
import cleandesk.starting
from cleandesk.control import held
held.REBOOT_AFTER_S = 0.1
from cleandesk.cli import main
main()
"""
UNIT = (HERE.parent / "systemd" / "cleandesk.service").read_text()


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """Return a box's settings, whose outbox another process has."""
    path = tmp_path / "cleandesk.yaml"
    path.write_text(yaml.safe_dump(OWN | {"schema": 1, "camera": {"source": str(tmp_path)}}))
    command = [sys.executable, "-c", _HOLDER, str(opening.lock_of(tmp_path / "outbox.db"))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        yield path
        assert holder.stdin
        holder.stdin.close()


def at(mono: float) -> Instant:
    return Instant(mono, START, synced=True)


def _each(moments: range, held: Callable[[Instant], bool]) -> list[int]:
    return [moment for moment in moments if held(at(moment))]


def test_starts_in_a_row_for_ten_minutes_are_enough_and_fewer_are_not(tmp_path: Path) -> None:
    def held(now: Instant) -> bool:
        return Held(tmp_path / "outbox.db", BOOT).for_good(now)

    assert _each(range(1000, 1600, 10), held) == []
    assert held(at(1000 + REBOOT_AFTER_S))
    assert not held(at(5000)), "in between one got it"
    assert not Held(tmp_path / "outbox.db", OTHER_BOOT).for_good(at(5010))
    assert _each(range(5020, 5600, 10), held) == [], "after a power-on it is counted anew"


def _setting(name: str) -> int:
    found = re.search(rf"^{name}=(\d+)$", UNIT, re.MULTILINE)
    assert found
    return int(found[1])


def test_starts_are_in_a_row_though_systemd_waits_for_what_it_cannot_kill(tmp_path: Path) -> None:
    # SIGTERM, SIGKILL, and both once more after ExecStopPost: it waits after each.
    waits_s = 4 * _setting("TimeoutStopSec") + _setting("RestartSec")
    assert waits_s + _setting("TimeoutStartSec") < PAUSE_S

    def held(now: Instant) -> bool:
        return Held(tmp_path / "outbox.db", BOOT).for_good(now)

    assert _each(range(1000, 1000 + 4 * 260, 260), held) == [1000 + 3 * 260]


@pytest.mark.parametrize("spoil", [b"", b"half"])
def test_what_cannot_be_read_or_kept_reboots_nothing(tmp_path: Path, spoil: bytes) -> None:
    path = tmp_path / "outbox.db.held"
    path.write_bytes(spoil)
    held = Held(tmp_path / "outbox.db", BOOT)
    assert not held.for_good(at(1000))
    path.unlink()
    path.mkdir()
    assert not held.for_good(at(2000))


def _run(config: Path) -> tuple[int, str]:
    command = [sys.executable, "-c", _SOON, "run", "--config", str(config)]
    done = subprocess.run(
        command, cwd=config.parent, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stderr


def test_a_box_whose_outbox_is_held_says_so_and_at_last_that_a_reboot_helps(config: Path) -> None:
    code, said = _run(config)
    assert code == EXIT_FAILED
    assert "in use by another process: end it" in said
    code, said = _run(config)
    assert code == EXIT_HELD
    for words in ("outbox.db", "for 10 minutes", "camera's driver", "reboot the machine"):
        assert words in said
    row = durable.read(starts.path_of(config.parent / "outbox.db")) or b""
    assert json.loads(row)["count"] == 0, "it is no crash that safe mode could mend"


@pytest.mark.parametrize("status", ["", "0", "1", "2", "75", "KILL", str(EXIT_HELD)])
def test_its_unit_reboots_the_machine_for_that_and_for_nothing_else(
    tmp_path: Path, status: str
) -> None:
    line = re.search(r"^ExecStopPost=\+/bin/sh -c '(.*)'$", UNIT, re.MULTILINE)
    assert line
    program = tmp_path / "systemctl"
    program.write_text('#!/bin/sh\necho "$@" > asked\n')
    program.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    if status:
        environ["EXIT_STATUS"] = status
    script = line[1].replace("$$", "$")
    subprocess.run(["/bin/sh", "-c", script], env=environ, cwd=tmp_path, check=True)
    asked = tmp_path / "asked"
    assert asked.exists() == (status == str(EXIT_HELD))
    if asked.exists():
        assert asked.read_text() == "--no-block reboot\n"
