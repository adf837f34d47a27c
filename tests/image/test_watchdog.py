"""The watchdog on a booted Debian: it ends what hangs, and leaves alone what only waits."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cleandesk.contract.messages import BreakReason, PrivacyState
from cleandesk.worker import protocol as p
from tests.eventually import eventually
from tests.image import box
from tests.image.box import BOX
from tests.image.machine import Machine
from tests.page_client import PageClient

#: Instead of the unit's 90 s: time passes so many times faster.
WATCHDOG_S = 4
MINUTES = int(os.environ.get("MINUTES") or 10)
#: The watchdog is fed four times in each of its periods.
FEEDS = MINUTES * 60 * 4 // 90
WEDGE = Path(__file__).with_name("wedge.py")
SOCKET = "/run/cleandesk/page.sock"


HANG = "/var/lib/cleandesk/hang"
Boot = Callable[..., Machine]


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    """Boots machines with a box each, which the test starts."""
    with ExitStack() as running:

        def one(*told: str) -> Machine:
            home = tmp_path / str(len(list(tmp_path.iterdir())))
            home.mkdir()
            machine = Machine(home, box.CLIP_THERE, f"--bind-ro={WEDGE}:/wedge.py", *told)
            running.enter_context(machine)
            box.install(machine)
            machine.drop_in(
                BOX,
                *("[Service]", f"WatchdogSec={WATCHDOG_S}", "RestartSec=1", "ExecStart="),
                f"ExecStart=/opt/cleandesk/bin/python /wedge.py {HANG} run --config {box.SETTINGS}",
            )
            machine.drop_in(
                "cleandesk-rollback.service",
                *("[Service]", "ExecStart=", "ExecStart=+/usr/bin/touch /run/rolled-back"),
            )
            return machine

        yield one


@pytest.fixture
def machine(boot: Boot) -> Machine:
    return boot()


def _restarts(machine: Machine) -> int:
    return int(machine.show(BOX, "NRestarts")["NRestarts"])


def _wait_for_restart(machine: Machine, before: int, within_s: float = 60) -> None:
    eventually(lambda: _restarts(machine) > before, "a restart", within_s=within_s)
    eventually(lambda: machine.show(BOX, "ActiveState")["ActiveState"] == "active", "its success")


def _crash(machine: Machine) -> None:
    before = _restarts(machine)
    machine.systemctl("kill", "--signal=KILL", BOX)
    _wait_for_restart(machine, before)


def _sense(machine: Machine) -> None:
    machine.start(BOX)


def _rest(machine: Machine) -> None:
    machine.start(BOX)
    with PageClient(machine.path(SOCKET)) as page:
        state = page.state(p.StartBreak(reason=BreakReason.OTHER))
        assert (state.privacy.state, state.sensing) == (PrivacyState.BREAK, False)


def _fall_into_safe_mode(machine: Machine) -> None:
    machine.start(BOX)
    for _ in range(3):
        _crash(machine)
    eventually(lambda: "safe mode" in machine.journal(BOX), "safe mode")


#: Within so many seconds a thread that hangs is missed; the link's may be silent for 60.
MISSED_S = {"loop": 60, "link": 150}
#: What a box does, each without a broker.
DOES = {"senses": _sense, "has a break": _rest, "is in safe mode": _fall_into_safe_mode}


def test_a_long_break_safe_mode_and_no_broker_are_no_reason_to_restart(boot: Boot) -> None:
    machines = {does: boot() for does in DOES}
    for does, begin in DOES.items():
        begin(machines[does])
    restarts = {does: _restarts(machine) for does, machine in machines.items()}
    fed: dict[str, set[str]] = {does: set() for does in DOES}

    def all_fed() -> bool:
        for does, machine in machines.items():
            fed[does].add(machine.show(BOX, "WatchdogTimestampMonotonic").popitem()[1])
        return all(len(stamps) > FEEDS for stamps in fed.values())

    eventually(all_fed, f"{FEEDS} feeds of each", within_s=60 + FEEDS * WATCHDOG_S)
    assert {does: _restarts(machine) for does, machine in machines.items()} == restarts


@pytest.mark.parametrize("thread", MISSED_S)
@pytest.mark.parametrize("does", DOES)
def test_a_thread_that_hangs_is_ended_and_the_log_says_where(
    machine: Machine, does: str, thread: str
) -> None:
    DOES[does](machine)
    before = _restarts(machine)
    machine.write(f"{HANG}.{thread}", "", owner="cleandesk")
    _wait_for_restart(machine, before, MISSED_S[thread])
    told = machine.journal(BOX)
    assert "Watchdog timeout" in told
    assert 'File "/wedge.py"' in told, "each thread's place is logged"


def test_a_process_that_stands_still_is_ended_and_started_anew(machine: Machine) -> None:
    _sense(machine)
    machine.systemctl("kill", "--signal=STOP", BOX)
    _wait_for_restart(machine, 0)
    assert "Watchdog timeout" in machine.journal(BOX)


def test_a_committed_slot_goes_into_safe_mode_and_stays(machine: Machine) -> None:
    _fall_into_safe_mode(machine)
    assert machine.show(BOX, "ActiveState")["ActiveState"] == "active"
    assert not machine.path("/run/rolled-back").exists()


@pytest.fixture
def on_trial(boot: Boot) -> Machine:
    """Return a machine whose kernel was told that it starts an update."""
    return boot("cleandesk.trial")


def test_a_slot_that_nobody_committed_is_left_at_the_first_crash(on_trial: Machine) -> None:
    machine = on_trial
    _sense(machine)
    assert not machine.path("/run/rolled-back").exists()
    machine.systemctl("kill", "--signal=KILL", BOX)
    eventually(machine.path("/run/rolled-back").exists, "the reboot that the boot loader counts")
    assert "safe mode" not in machine.journal(BOX)


def test_what_is_asked_for_is_no_crash(on_trial: Machine) -> None:
    machine = on_trial
    machine.drop_in(
        BOX,
        "[Service]",
        "RestartSec=1",
        "ExecStart=",
        "ExecStart=/bin/sh -c 'exit 75'",
        "Type=exec",
    )
    _sense(machine)
    eventually(lambda: _restarts(machine) > 1, "its restarts")
    assert not machine.path("/run/rolled-back").exists()
