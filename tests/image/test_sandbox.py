"""What our units may do on a booted Debian: what they need, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import box
from tests.image.machine import Machine, as_fat_is_mounted
from tests.image.probe import attempts
from tests.image.rootfs import UNITS

MOST_EXPOSED = 2.0
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
#: What each may do of what `probe.py` tries.
MAY = {
    "cleandesk.service": {
        "speak to the network",
        "write its own folder",
        "read the box's key",
        "read the outbox",
    },
    "cleandesk-page.service": {
        "speak to the network",
        "write its own folder",
        "read the worker's page",
    },
    "cleandesk-renew.service": {
        "speak to the network",
        "write its own folder",
        "write the settings",
        "read the box's key",
        "read the page's label",
    },
    "cleandesk-claim.service": {
        "speak to the network",
        "write its own folder",
        "read the card",
        "write the settings",
        "read the box's key",
        "read the page's label",
    },
    "cleandesk-update.service": {"write its own folder"},
    "cleandesk-commit.service": {"write its own folder"},
}
#: A folder that each may write to.
FOLDER = {
    "cleandesk.service": "/var/lib/cleandesk",
    "cleandesk-page.service": "/var/lib/cleandesk-page",
    "cleandesk-renew.service": "/etc/cleandesk",
    "cleandesk-claim.service": "/etc/cleandesk",
    "cleandesk-update.service": "/var/lib/cleandesk-update",
    "cleandesk-commit.service": "/var/lib/cleandesk-update",
}
PROBE = Path(__file__).with_name("probe.py")
#: The microphone has the number of /dev/null, which any unit may open: its path is what counts.
NODES = {"snd/pcmC0D0c": ("c", 1, 3), "mem": ("c", 1, 1), "vda": ("b", 254, 0)}
#: What fails for root without a sandbox, too: kernel and container deny it before.
NEVER = {
    "load a module",
    "make a Bluetooth socket",
    "open /dev/mem",
    "open the disk",
    "reboot",
    "set the clock",
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    home = tmp_path_factory.mktemp("machine")
    with Machine(home, f"--bind-ro={PROBE}:/probe.py", "--capability=all") as machine:
        for name, (kind, major, minor) in NODES.items():
            machine.run("mkdir", "-p", "/dev/snd")
            machine.run("mknod", "-m", "666", f"/dev/{name}", kind, str(major), str(minor))
        machine.write("/etc/cleandesk/page-label", "hash", owner="cleandesk", mode="600")
        machine.write("/etc/cleandesk/identity/box.pem", "key", owner="cleandesk", mode="600")
        machine.write("/boot/firmware/cleandesk/claim.json", "{}")
        as_fat_is_mounted(machine)
        machine.write("/etc/cleandesk/page.yaml", "schema: 1\nbox: desk-1\n")
        box.install(machine)
        machine.run("chown", "cleandesk:", "/etc/cleandesk", "/etc/cleandesk/identity")
        machine.run("install", "-d", "-m", "777", "/var/lib/other")
        for name in ("cleandesk", "cleandesk-page"):
            machine.run("install", "-d", "-o", name, "-g", name, "-m", "700", f"/var/lib/{name}")
        machine.write("/var/lib/cleandesk/outbox.db", "", owner="cleandesk", mode="600")
        machine.write("/var/lib/cleandesk-page/page.db", "", owner="cleandesk-page", mode="600")
        yield machine


def test_the_box_asks_for_the_cameras_drivers_and_starts_after_them(machine: Machine) -> None:
    drivers = {"modprobe@videodev.service", "modprobe@mc.service"}
    for relation in ("Wants", "After"):
        assert drivers <= set(machine.show(box.BOX, relation)[relation].split())


def test_systemd_understands_every_line(machine: Machine) -> None:
    paths = [f"/usr/lib/systemd/system/{path.name}" for path in UNITS.iterdir() if path.is_file()]
    units = [path for path in paths if not path.endswith(".md")]
    verified = machine.run("systemd-analyze", "verify", "--man=no", *units)
    assert verified.stdout + verified.stderr == "", "it says so and returns 0 all the same"


@pytest.mark.parametrize("service", SERVICES)
def test_its_exposure_is_low(machine: Machine, service: str) -> None:
    told = machine.run("systemd-analyze", "--no-pager", "security", service).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert exposure, told
    print(f"{service}: {exposure[1]}")  # noqa: T201 - a figure for the README
    assert float(exposure[1]) <= MOST_EXPOSED, told


def test_without_a_sandbox_the_probe_can_do_it_all(machine: Machine) -> None:
    facts = json.loads(machine.run("/opt/cleandesk/bin/python", "/probe.py", "/root").stdout)
    names = set(attempts("/root"))
    assert names - set(facts["done"]) <= NEVER


@pytest.mark.parametrize("service", MAY)
def test_it_may_do_what_it_needs_and_nothing_else(machine: Machine, service: str) -> None:
    machine.drop_in(
        service,
        *("[Unit]", "OnFailure=", "OnSuccess=", "ConditionPathExists="),
        *("[Service]", "Type=oneshot", "Restart=no", "ExecStartPre=", "ExecStartPost="),
        "ExecStart=",
        f"ExecStart=/opt/cleandesk/bin/python /probe.py {FOLDER[service]}",
    )
    machine.start(service)
    lines = [line for line in machine.journal(service).splitlines() if line.startswith('{"done"')]
    facts = json.loads(lines[-1])
    assert set(facts["done"]) == MAY[service]
    assert facts["core"] == 0, "a core dump would hold pictures"
    assert facts["uid"] != 0
    audio = int(machine.run("getent", "group", "audio").stdout.split(":")[2])
    assert audio not in facts["groups"]
