"""RAUC with our units on a booted Debian: who may ask it, what it refuses, commit and rollback.

A container's kernel need not have the device mapper: the bundles here are `plain`, where the box
takes `verity` alone. Loop devices stand for the card, and a file for the kernel's command line.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk.update import health
from cleandesk.update.drop import BUNDLE
from cleandesk.update.install import REFUSED
from cleandesk.watchdog import CameraWord, Word
from image import disk, updates
from image.slots import COMMITTED, Disk, State
from tests.image import box as boxes
from tests.image.test_sandbox import MOST_EXPOSED
from tests.image.updated import (
    CARD,
    COMMIT,
    FETCHED,
    NEWER,
    OLDER,
    SLOT_MIB,
    TOLD,
    UPDATE,
    WATCHED,
    Box,
    on_a_card,
)
from tests.signer import Signer


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    """Return what stands for a slot's file system."""
    path = tmp_path / "slot"
    path.write_bytes(random.Random(1).randbytes(SLOT_MIB * disk.MIB))
    return path


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with on_a_card(tmp_path) as box:
        yield box


def test_an_update_is_written_tried_and_committed(box: Box, slot: Path) -> None:
    box.put(box.bundle(slot))
    box.start(UPDATE)
    assert box.slots == State("a", "b", 3)
    assert box.slot(1) == slot.read_bytes()
    assert box.slot(0) == bytes(SLOT_MIB * disk.MIB), "what runs is not written to"
    assert box.there("/run/starts-anew")
    assert f"version {NEWER}: installed" in box.said()
    assert not box.there(f"{CARD}/{BUNDLE}")
    box.starts("b", trial=True)
    box.start(COMMIT)
    box.run("timeout", "60", "sh", "-c", f"until test -e {COMMITTED}; do sleep 0.2; done")
    assert box.slots == State("b")
    assert not box.there("/run/starts-anew")


def test_it_is_committed_once_the_box_says_itself_that_it_looks(box: Box, tmp_path: Path) -> None:
    health.remember(tmp_path / "before", Word(CameraWord.WORKS, link=False))
    before = (tmp_path / "before").read_text()
    box.write("/var/lib/cleandesk-update/before", before, owner="cleandesk-update")
    boxes.install(box)
    box.drop_in(boxes.BOX, "[Service]", "WatchdogSec=4")
    box.starts("b", trial=True)
    Disk(box.card).write(State("a", "b", 2))
    box.start(COMMIT)
    box.run(
        "timeout", "60", "sh", "-c", f"until journalctl -u {COMMIT} | grep box; do sleep 1; done"
    )
    assert box.slots == State("a", "b", 2)
    box.start(boxes.BOX)
    box.run("timeout", "300", "sh", "-c", f"until test -e {COMMITTED}; do sleep 0.2; done")
    assert box.slots == State("b")


def test_what_the_box_fetched_is_installed_at_once_and_the_next_one_after_the_commit(
    box: Box, slot: Path
) -> None:
    kept = box.run("stat", "-c", "%U %G %a", FETCHED, "/var/lib/cleandesk").stdout.split()
    assert kept == ["cleandesk", "cleandesk-update", "2770", "cleandesk", "cleandesk", "700"]
    box.run("systemctl", "start", WATCHED)
    box.hand_over(box.bundle(slot))
    box.run("timeout", "60", "sh", "-c", "until test -e /run/starts-anew; do sleep 0.2; done")
    assert box.slots == State("a", "b", 3)
    assert box.slot(1) == slot.read_bytes()
    assert not box.there(f"{FETCHED}/{BUNDLE}")
    assert '"step":"installed","version":"0.1.300"' in box.told_to_the_box()

    box.run("systemctl", "stop", WATCHED)
    box.starts("b", trial=True)
    box.run("systemctl", "start", WATCHED)
    box.hand_over(box.bundle(slot, OLDER))
    assert box.run("systemctl", "is-active", WATCHED, check=False).stdout.strip() == "inactive"
    box.start(COMMIT)
    gone = f"while test -e {FETCHED}/{BUNDLE}; do sleep 0.2; done"
    box.run("timeout", "60", "sh", "-c", gone)
    assert box.slots == State("b")
    assert box.run("systemctl", "is-active", WATCHED).stdout.strip() == "active"
    told = '"step":"refused","version":"0.1.100"'
    box.run("timeout", "20", "sh", "-c", f"until grep -q '{told}' {TOLD}; do sleep 0.2; done")
    assert not box.there("/run/starts-anew")


def test_seven_bad_ones_in_a_row_do_not_keep_the_right_one_away(box: Box, slot: Path) -> None:
    older = box.bundle(slot, OLDER)
    box.run("systemctl", "start", WATCHED)
    for _ in range(7):
        box.hand_over(older)
        box.run(
            "timeout", "60", "sh", "-c", f"while test -e {FETCHED}/{BUNDLE}; do sleep 0.1; done"
        )
    box.hand_over(box.bundle(slot))
    box.run("timeout", "60", "sh", "-c", "until test -e /run/starts-anew; do sleep 0.2; done")
    assert box.slots == State("a", "b", 3)


def test_after_far_too_many_they_are_watched_for_again(box: Box, slot: Path) -> None:
    older, newer, timer = box.bundle(slot, OLDER), box.bundle(slot), "cleandesk-update.timer"
    limit = ("[Unit]", "StartLimitIntervalSec=20", "StartLimitBurst=1")
    box.drop_in(UPDATE, *limit, name="91-limit")
    box.drop_in(timer, "[Timer]", "OnUnitInactiveSec=", "OnUnitInactiveSec=25", "AccuracySec=1s")
    box.run("systemctl", "start", WATCHED, timer)
    box.hand_over(older)
    box.run("timeout", "60", "sh", "-c", f"while test -e {FETCHED}/{BUNDLE}; do sleep 0.1; done")
    box.hand_over(newer)
    box.run("timeout", "20", "sh", "-c", f"until systemctl is-failed {WATCHED}; do sleep 0.1; done")
    assert box.there(f"{FETCHED}/{BUNDLE}")
    box.run("timeout", "120", "sh", "-c", "until test -e /run/starts-anew; do sleep 0.2; done")
    assert box.slots == State("a", "b", 3)


def test_a_bundle_that_is_the_boxs_own_file_is_judged_and_handed_to_rauc(
    box: Box, slot: Path, tmp_path: Path
) -> None:
    settings = box.run("cat", "/etc/rauc/system.conf").stdout
    box.write("/etc/rauc/system.conf", settings.replace("=plain", "=verity"))
    box.run("systemctl", "start", WATCHED)
    product = tmp_path / "verity.raucb"
    updates.bundle(slot, NEWER, box.signer.cert, str(box.signer.key), product)
    box.hand_over(product, verity=True)
    told = f"until grep -qE 'refused|installed' {TOLD}; do sleep 0.2; done"
    box.run("timeout", "60", "sh", "-c", told)
    # It was read and believed, and RAUC had it, which needs the kernel's device mapper.
    said = box.told_to_the_box()
    assert '"version":"0.1.300"' in said
    assert "/dev/mapper/control" in said or "installed" in said
    assert not box.there(f"{FETCHED}/{BUNDLE}")


def test_an_update_that_cannot_be_committed_starts_the_next_try(box: Box) -> None:
    box.starts("b", trial=True)
    box.drop_in("rauc.service", "[Service]", "ExecStart=", "ExecStart=/bin/false")
    assert box.run("systemctl", "start", COMMIT, check=False).returncode != 0
    box.run("timeout", "60", "sh", "-c", "until test -e /run/starts-anew; do sleep 0.2; done")


@pytest.mark.parametrize(
    "program", ["/usr/lib/cleandesk/slots", "/opt/cleandesk/bin/cleandesk", "/usr/bin/rauc"]
)
def test_an_update_that_broke_what_commits_it_is_left(box: Box, program: str) -> None:
    box.starts("b", trial=True)
    Disk(box.card).write(State("a", "b", 2))
    box.write(program, "#!/bin/false\n", mode="755")
    box.run("systemctl", "start", COMMIT, check=False)
    box.run("timeout", "90", "sh", "-c", "until test -e /run/starts-anew; do sleep 0.2; done")
    assert box.slots == State("a", "b", 2)


def test_what_is_older_short_or_of_others_is_refused_by_rauc_and_set_aside_by_us(
    box: Box, slot: Path, tmp_path: Path
) -> None:
    stranger = Signer(tmp_path / "stranger")
    short = box.bundle(slot)
    short.write_bytes(short.read_bytes()[:-1000])
    for bundle, why, told in (
        (box.bundle(slot, OLDER), "Version mismatch", "older"),
        (box.bundle(slot, compatible="oven"), "Compatible mismatch", "oven"),
        (box.bundle(slot, by=stranger), "certificate", "certificate"),
        (short, "ignature", "ignature"),
    ):
        asked = box.run("rauc", "install", box.put(bundle, "asked.raucb"), check=False)
        assert asked.returncode != 0
        assert why in asked.stdout + asked.stderr
        box.put(bundle)
        assert box.run("systemctl", "start", UPDATE, check=False).returncode != 0
        assert told in box.said()
        assert box.there(f"{CARD}/{REFUSED}")
        assert not box.there(f"{CARD}/{BUNDLE}")
        assert not box.there("/run/starts-anew")
    assert box.slots == State("a")
    assert box.slot(1) == bytes(SLOT_MIB * disk.MIB)


def test_only_the_units_of_updates_may_ask_for_one(box: Box) -> None:
    asked = ["rauc", "status", "mark-good"]
    for user in ("cleandesk", "cleandesk-page"):
        refused = box.run("setpriv", f"--reuid={user}", "--clear-groups", *asked, check=False)
        assert refused.returncode != 0
        assert "Rejected send message" in refused.stdout + refused.stderr
    box.run("setpriv", "--reuid=cleandesk-update", "--clear-groups", *asked)


def test_its_exposure_is_low(box: Box) -> None:
    told = box.run("systemd-analyze", "--no-pager", "security", "rauc.service").stdout
    exposure = re.search(r"exposure level for rauc.service: ([\d.]+)", told)
    assert exposure, told
    print(f"rauc.service: {exposure[1]}")  # noqa: T201 - a figure for the README
    assert float(exposure[1]) <= MOST_EXPOSED
