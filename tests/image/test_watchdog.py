"""The watchdog on a booted Debian: it ends what hangs, and leaves alone what only waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk.contract.messages import BreakReason, PrivacyState
from cleandesk.worker import protocol as p
from tests.eventually import eventually
from tests.image import box
from tests.image.box import BOX
from tests.image.machine import Machine
from tests.page_client import PageClient

#: Instead of the unit's 90 s.
WATCHDOG_S = 4
#: So many periods of the watchdog an hour has.
HOUR = 3600 // 90
WEDGE = Path(__file__).with_name("wedge.py")
SOCKET = "/run/cleandesk/page.sock"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine(tmp_path, box.CLIP_THERE, f"--bind-ro={WEDGE}:/wedge.py") as machine:
        box.install(machine)
        machine.drop_in(BOX, "[Service]", f"WatchdogSec={WATCHDOG_S}", "RestartSec=1")
        machine.write(
            "/run/systemd/system/cleandesk-rollback.service.d/90-test.conf",
            "[Service]\nExecStart=\nExecStart=+/usr/bin/touch /run/rolled-back\n",
        )
        machine.systemctl("daemon-reload")
        yield machine


def _restarts(machine: Machine) -> int:
    return int(machine.show(BOX, "NRestarts")["NRestarts"])


def _wait_for_restart(machine: Machine, *, within_s: float = 60) -> None:
    before = _restarts(machine)
    eventually(lambda: _restarts(machine) > before, "a restart", within_s=within_s)
    eventually(lambda: machine.show(BOX, "ActiveState")["ActiveState"] == "active", "its success")


def _fed_for_an_hour(machine: Machine) -> None:
    """Wait until the watchdog was fed through so many periods as an hour has."""
    stamps: set[str] = set()

    def fed() -> bool:
        stamps.add(machine.show(BOX, "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"])
        return len(stamps) > HOUR

    eventually(fed, f"{HOUR} feeds", within_s=HOUR * WATCHDOG_S)
    assert _restarts(machine) == 0


def test_a_process_that_stands_still_is_ended_and_started_anew(machine: Machine) -> None:
    machine.systemctl("start", BOX)
    machine.systemctl("kill", "--signal=STOP", BOX)
    _wait_for_restart(machine)
    assert "Watchdog timeout" in machine.journal(BOX)


def test_a_loop_that_hangs_is_ended_and_the_log_says_where(machine: Machine) -> None:
    _wedge(machine, "loop")
    machine.systemctl("start", BOX)
    _wait_for_restart(machine)
    told = machine.journal(BOX)
    assert "Watchdog timeout" in told
    assert 'File "/wedge.py"' in told, "each thread's place is logged"


def _wedge(machine: Machine, place: str) -> None:
    """Have one thread of the box hang two seconds after its start, once."""
    machine.drop_in(
        BOX,
        *("[Service]", f"WatchdogSec={WATCHDOG_S}", "RestartSec=1", "ExecStart="),
        "ExecStart=/opt/cleandesk/bin/python /wedge.py "
        f"{place} 2 /var/lib/cleandesk/wedged run --config {box.SETTINGS}",
    )


def test_an_hour_of_a_break_without_a_broker_is_no_reason(machine: Machine) -> None:
    machine.systemctl("start", BOX)
    with PageClient(machine.path(SOCKET)) as page:
        state = page.state(p.StartBreak(reason=BreakReason.OTHER))
        assert (state.privacy.state, state.sensing) == (PrivacyState.BREAK, False)
    _fed_for_an_hour(machine)


def test_a_committed_slot_goes_into_safe_mode_and_stays(machine: Machine) -> None:
    machine.systemctl("start", BOX)
    for _ in range(3):
        machine.systemctl("kill", "--signal=KILL", BOX)
        _wait_for_restart(machine)
    eventually(lambda: "safe mode" in machine.journal(BOX), "safe mode")
    assert machine.show(BOX, "ActiveState")["ActiveState"] == "active"
    assert not machine.path("/run/rolled-back").exists()
    before = _restarts(machine)
    stamp = machine.show(BOX, "WatchdogTimestampMonotonic")
    eventually(
        lambda: machine.show(BOX, "WatchdogTimestampMonotonic") != stamp, "a feed in safe mode"
    )
    assert _restarts(machine) == before


def test_a_slot_that_nobody_committed_is_left_at_the_first_crash(machine: Machine) -> None:
    machine.write("/run/cleandesk-slot/uncommitted", "")
    machine.systemctl("start", BOX)
    assert not machine.path("/run/rolled-back").exists()
    machine.systemctl("kill", "--signal=KILL", BOX)
    eventually(machine.path("/run/rolled-back").exists, "the reboot that the boot loader counts")
    assert "safe mode" not in machine.journal(BOX)


def test_what_is_asked_for_is_no_crash(machine: Machine) -> None:
    machine.write("/run/cleandesk-slot/uncommitted", "")
    machine.drop_in(
        BOX,
        "[Service]",
        "RestartSec=1",
        "ExecStart=",
        "ExecStart=/bin/sh -c 'exit 75'",
        "Type=exec",
    )
    machine.systemctl("start", BOX)
    eventually(lambda: _restarts(machine) > 1, "its restarts")
    assert not machine.path("/run/rolled-back").exists()
