"""Updates on the built image: one is tried and committed through a power cut, bad ones are left.

No rule's dwell ends here, so that a card can be copied: no copy has anything to tell the broker.
"""

import random
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.scenario import rules
from image import updates
from image.slots import State
from tests.qemu.machine import PATIENCE_S, Machine, debugfs, patiently
from tests.qemu.world import Company
from tests.rig import CLIP
from tests.signer import Signer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(8 * PATIENCE_S)]

NEWER, OLDER = "99.0.1", "0.0.1"
SEED = 20261129
MOST_EXPOSED = 2.0
ONLINE = "connected to the broker"
_MODEL = "opt/cleandesk/lib/python3.13/site-packages/cleandesk/models/desk"
#: What RAUC itself says, should our own program not have looked first.
_ASK_RAUC = """\
[Unit]
After=slot.service boot-firmware.mount
[Service]
Type=oneshot
StandardOutput=journal+console
ExecStart=/bin/sh -c 'for name in {names}; do echo "probe: $$name: \\
  $(rauc install /boot/firmware/cleandesk/$$name 2>&1 | grep LastError)"; done'
ExecStart=/bin/sh -c 'echo "probe: page: $(setpriv --reuid=cleandesk-page --clear-groups \\
  rauc status mark-bad 2>&1 | grep -o -m 1 "Rejected send message")"'
ExecStart=/bin/sh -c 'echo "probe: $(systemd-analyze --no-pager security rauc.service | tail -n 1)"'
ExecStart=/bin/echo "probe: done"
"""


@dataclass(frozen=True, slots=True)
class World:
    """What the tests share: a box that was claimed, and who signs for its updates."""

    card: Path
    signer: Signer
    slot: Path

    def machine(self, folder: Path) -> Machine:
        """Return a machine with a copy of the card."""
        return Machine(self.card, folder)

    def bundle(self, product: Path, slot: Path | None = None, version: str = NEWER) -> Path:
        """Make a signed update."""
        updates.bundle(slot or self.slot, version, self.signer.cert, str(self.signer.key), product)
        return product


@pytest.fixture(scope="module")
def world(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("updates")
    signer = Signer(home / "signer")
    machine = Machine(image, home)
    machine.put(CLIP, "lib/cleandesk/desk.mp4")
    machine.trust(signer.authority)
    never = [rule | {"dwell_s": 3600.0} for rule in rules()]
    with Company(home) as company, company.subscriber():
        with machine:
            company.provision(machine, {"rules": never}, repeat=True)
            machine.start()
            machine.says(ONLINE)
        assert machine.faults(home) == []
        yield World(machine.card, signer, image.with_name("root.ext4"))


def test_an_update_is_committed_when_the_box_is_healthy_and_survives_a_power_cut(
    world: World, tmp_path: Path
) -> None:
    machine = world.machine(tmp_path)
    machine.put_on_card(world.bundle(tmp_path / "good.raucb"), "update.raucb")
    with machine:
        machine.start()
        machine.says("an update is installed")
        machine.says("Updating /dev/")
        time.sleep(10)  # the moment of the cut, not a wait for anything
        machine.cut()
        assert machine.slots == State("a")
        assert [fault for fault in machine.faults(tmp_path) if "slot b" not in fault] == []
        began = time.monotonic()
        machine.start(reboots=True)
        machine.says("cleandesk: slot a")
        machine.says("cleandesk: slot b")
        _since(began, "installed, and started anew")
        assert machine.slots.slot == "a"
        machine.says("the update is committed")
        _since(began, "committed")
        patiently(lambda: machine.slots == State("b"), "the commit on the card")
        assert ONLINE in machine.said.rpartition("cleandesk: slot b")[2]
    assert machine.faults(tmp_path) == []
    assert f"version {NEWER}: installed" in machine.on_card("update.txt")
    assert machine.on_card("update.raucb") == ""


def test_an_update_whose_box_does_not_start_is_left_by_itself(world: World, tmp_path: Path) -> None:
    bad = tmp_path / "bad.ext4"
    subprocess.run(["cp", "--sparse=always", world.slot, bad], check=True)
    debugfs(bad, f"rm {_MODEL}/manifest.yaml", write=True)
    machine = world.machine(tmp_path)
    machine.put_on_card(world.bundle(tmp_path / "bad.raucb", bad), "update.raucb")
    with machine:
        began = time.monotonic()
        machine.start(reboots=True)
        machine.says("slot b was never committed: back to slot a")
        _since(began, "left")
        last = "back to slot a"
        patiently(lambda: ONLINE in machine.said.rpartition(last)[2], "the box as it was")
        _since(began, "on the line again")
        assert machine.said.count("cleandesk: slot b\n") == 3
        assert machine.slots == State("a")
    assert machine.faults(tmp_path) == []


def test_what_is_older_damaged_or_of_others_is_refused_and_the_box_goes_on(
    world: World, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.write_bytes(random.Random(SEED).randbytes(4_000_000))
    stranger, machine = Signer(tmp_path / "stranger"), world.machine(tmp_path)
    theirs = tmp_path / "theirs.raucb"
    updates.bundle(small, NEWER, stranger.cert, str(stranger.key), theirs)
    machine.put_on_card(theirs, "update.raucb")
    whole = world.bundle(tmp_path / "whole.raucb", small)
    for name, content in {
        "older.raucb": world.bundle(tmp_path / "older.raucb", small, OLDER).read_bytes(),
        "damaged.raucb": _spoilt(whole.read_bytes()),
        "short.raucb": whole.read_bytes()[:-1000],
        "theirs.raucb": theirs.read_bytes(),
    }.items():
        (tmp_path / name).write_bytes(content)
        machine.put_on_card(tmp_path / name, name)
    other = tmp_path / "other.raucb"
    updates.bundle(small, NEWER, world.signer.cert, str(world.signer.key), other, compatible="oven")
    machine.put_on_card(other, "other.raucb")
    names = ("older", "damaged", "short", "theirs", "other")
    (tmp_path / "look.service").write_text(
        _ASK_RAUC.format(names=" ".join(f"{name}.raucb" for name in names))
    )
    machine.add_unit(tmp_path / "look.service")
    with machine:
        machine.start()
        machine.says("the update is refused")
        machine.says("probe: done")
        machine.says(ONLINE)
        said = machine.said
        assert machine.slots == State("a")
    print("\n".join(line for line in said.splitlines() if "probe: " in line))  # noqa: T201
    assert "Version mismatch" in _probe(said, "older.raucb")
    assert "Failed updating slot" in _probe(said, "damaged.raucb")
    assert "Signature size" in _probe(said, "short.raucb")
    assert "certificate" in _probe(said, "theirs.raucb")
    assert "Compatible mismatch" in _probe(said, "other.raucb")
    assert "Rejected send message" in _probe(said, "page")
    exposure = re.search(r"exposure level for rauc.service: ([\d.]+)", said)
    assert exposure
    assert float(exposure[1]) <= MOST_EXPOSED
    assert machine.on_card("update.txt").startswith("refused: ")
    assert machine.on_card("update.raucb") == ""
    assert [fault for fault in machine.faults(tmp_path) if "slot b" not in fault] == []


def _probe(said: str, name: str) -> str:
    return said.rpartition(f"probe: {name}: ")[2].split("\n")[0]


def _spoilt(content: bytes) -> bytes:
    """Return a bundle with one byte of its payload changed, which its signature does not see."""
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _since(began: float, what: str) -> None:
    print(f"{time.monotonic() - began:6.0f} s  {what}")  # noqa: T201
