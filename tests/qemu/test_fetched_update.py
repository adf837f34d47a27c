"""An update over the network, on the built image: sent, fetched through a power cut, committed."""

import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from image.slots import State
from tests.qemu.claimed import NEWER, ONLINE, Claimed, since
from tests.qemu.machine import PATIENCE_S, debugfs, patiently
from tests.qemu.world import BOX, Company

pytestmark = [pytest.mark.fault, pytest.mark.timeout(4 * PATIENCE_S)]

#: Of the bundle, which comes in ten minutes or so.
CUT_AT = 0.2
RAUC = "etc/rauc/system.conf"
FOLDER = "lib/cleandesk/update"


def test_an_update_is_fetched_through_a_power_cut_and_committed(
    claimed: Claimed, tmp_path: Path
) -> None:
    company, machine = claimed.company, claimed.machine(tmp_path)
    slot = _of_version(NEWER, claimed.slot, tmp_path)
    made = company.run("update", "publish", claimed.bundle(tmp_path / "newer.raucb", slot))
    with machine:
        machine.start()
        machine.says(ONLINE)
        patiently(lambda: _stands(company)["state"], "the box's own word of its software")
        began = time.monotonic()
        assert company.run("update", "send", BOX, NEWER)["results"]["asked"] == 1
        patiently(lambda: _fetched(company) > CUT_AT, "a part of the bundle")
        machine.cut()
        last = _stands(company)["said_at"]
        assert machine.faults(tmp_path) == []
        (had,) = machine.holds(FOLDER, tmp_path).values()
        assert CUT_AT * made["size"] < had < made["size"]
        machine.start(reboots=True)
        patiently(lambda: _stands(company)["said_at"] != last and _fetched(company), "more of it")
        assert _fetched(company) >= CUT_AT, "it was begun anew"
        machine.says("an update is handed over")
        since(began, "fetched, through a power cut, and handed over")
        machine.says("cleandesk: slot b")
        since(began, "installed, and started anew")
        machine.says("the update is committed")
        since(began, "committed")
        patiently(lambda: _stands(company)["runs"] == NEWER, "the box's word of what it runs")
        patiently(lambda: _stands(company)["state"] == "committed", "its word that it stays")
        since(began, "told")
        assert machine.slots == State("b")
    assert machine.faults(tmp_path) == []
    assert machine.holds(FOLDER, tmp_path) == {}, "a bundle is left behind"


def _stands(company: Company) -> Mapping[str, Any]:
    """Return what a technician is told of the box's software."""
    (row,) = company.run("update", "status", BOX)["boxes"]
    return cast("Mapping[str, Any]", row)


def _fetched(company: Company) -> float:
    """Return how much of the bundle the box says that it has."""
    state = _stands(company)["state"]
    found = re.fullmatch(r"fetching (\d+)%", state or "")
    return int(found[1]) / 100 if found else 0.0


def _of_version(version: str, slot: Path, folder: Path) -> Path:
    """Return a root file system that is the same but for the version that it says it has."""
    made, settings = folder / "newer.ext4", folder / "system.conf"
    subprocess.run(["cp", "--sparse=always", slot, made], check=True)
    debugfs(made, f"dump {RAUC} {settings}")
    settings.write_text(
        re.sub(r"(?m)^(min-bundle-version)=.*$", rf"\1={version}", settings.read_text())
    )
    debugfs(made, f"rm {RAUC}", write=True)
    debugfs(made, f"write {settings} {RAUC}", write=True)
    return made
