"""Updates on the built image: one is tried and committed through a power cut, bad ones are left."""

import random
import re
import subprocess
import time
from pathlib import Path

import pytest

from image import updates
from image.slots import State
from tests.qemu.claimed import NEWER, ONLINE, Claimed, since
from tests.qemu.machine import PATIENCE_S, debugfs, patiently
from tests.signer import Signer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(8 * PATIENCE_S)]

OLDER = "0.0.1"
SEED = 20261129
MOST_EXPOSED = 2.0
_MODEL = "opt/cleandesk/lib/python3.13/site-packages/cleandesk/models/desk"
#: What RAUC itself says, should our own program not have looked first.
_ASK_RAUC = """\
[Unit]
# D-Bus would wait 25 s for it, which a machine that emulates takes longer for.
Wants=rauc.service
After=boot-firmware.mount rauc.service
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


def test_an_update_is_committed_when_the_box_is_healthy_and_survives_a_power_cut(
    claimed: Claimed, tmp_path: Path
) -> None:
    machine = claimed.machine(tmp_path)
    machine.put_on_card(claimed.bundle(tmp_path / "good.raucb"), "update.raucb")
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
        since(began, "installed, and started anew")
        assert machine.slots.slot == "a"
        machine.says("the update is committed")
        since(began, "committed")
        patiently(lambda: machine.slots == State("b"), "the commit on the card")
        assert ONLINE in machine.said.rpartition("cleandesk: slot b")[2]
    assert machine.faults(tmp_path) == []
    assert f"version {NEWER}: installed" in machine.on_card("update.txt")
    assert machine.on_card("update.raucb") == ""


def test_an_update_whose_box_does_not_start_is_left_by_itself(
    claimed: Claimed, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.ext4"
    subprocess.run(["cp", "--sparse=always", claimed.slot, bad], check=True)
    debugfs(bad, f"rm {_MODEL}/manifest.yaml", write=True)
    machine = claimed.machine(tmp_path)
    machine.put_on_card(claimed.bundle(tmp_path / "bad.raucb", bad), "update.raucb")
    with machine:
        began = time.monotonic()
        machine.start(reboots=True)
        machine.says("slot b was never committed: back to slot a")
        since(began, "left")
        last = "back to slot a"
        patiently(lambda: ONLINE in machine.said.rpartition(last)[2], "the box as it was")
        since(began, "on the line again")
        assert machine.said.count("cleandesk: slot b\n") == 3
        assert machine.slots == State("a")
    assert machine.faults(tmp_path) == []


def test_what_is_older_damaged_or_of_others_is_refused_and_the_box_goes_on(
    claimed: Claimed, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.write_bytes(random.Random(SEED).randbytes(4_000_000))
    stranger, machine = Signer(tmp_path / "stranger"), claimed.machine(tmp_path)
    theirs = tmp_path / "theirs.raucb"
    updates.bundle(small, NEWER, stranger.cert, str(stranger.key), theirs)
    machine.put_on_card(theirs, "update.raucb")
    whole = claimed.bundle(tmp_path / "whole.raucb", small)
    for name, content in {
        "older.raucb": claimed.bundle(tmp_path / "older.raucb", small, OLDER).read_bytes(),
        "damaged.raucb": _spoilt(whole.read_bytes()),
        "short.raucb": whole.read_bytes()[:-1000],
        "theirs.raucb": theirs.read_bytes(),
    }.items():
        (tmp_path / name).write_bytes(content)
        machine.put_on_card(tmp_path / name, name)
    other = tmp_path / "other.raucb"
    updates.bundle(
        small, NEWER, claimed.signer.cert, str(claimed.signer.key), other, compatible="oven"
    )
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
