"""sd_notify(3), against a real datagram socket."""

import os
import socket
from pathlib import Path

import pytest

from cleandesk.watchdog.notify import Manager
from tests.unit.watchdog.make import ServiceManager


def test_assignments_come_in_one_datagram(tmp_path: Path) -> None:
    with ServiceManager(tmp_path / "notify") as systemd:
        systemd.manager.tell("READY=1", "STATUS=well")
        assert systemd.heard() == ["READY=1", "STATUS=well"]


def test_an_abstract_name_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0cleandesk-test-{os.getpid()}")
        Manager({"NOTIFY_SOCKET": f"@cleandesk-test-{os.getpid()}"}).tell("READY=1")
        assert receiver.recv(64) == b"READY=1"


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "90000000"}, 90.0),
        ({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "7"}, 90.0),
        ({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_that_of_this_process(
    environ: dict[str, str], watchdog_s: float | None
) -> None:
    told = Manager({"NOTIFY_SOCKET": "/run/systemd/notify"} | environ, pid=7)
    assert told.watchdog_s == watchdog_s


def test_without_a_manager_nobody_is_told_and_nothing_fed() -> None:
    alone = Manager({"WATCHDOG_USEC": "90000000"})
    alone.tell("READY=1")
    assert alone.watchdog_s is None


def test_a_manager_that_is_gone_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Manager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("WATCHDOG=1")
    assert "cannot be told" in caplog.text
