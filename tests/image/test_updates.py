"""RAUC with our units on a booted Debian: who may ask it, what it refuses, commit and rollback.

A container's kernel need not have the device mapper: the bundles here are `plain`, where the box
takes `verity` alone. Loop devices stand for the card, and a file for the kernel's command line.
"""

import itertools
import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cleandesk.update import health
from cleandesk.update.drop import BUNDLE
from cleandesk.update.install import REFUSED, RESULT
from cleandesk.watchdog import CameraWord, Word
from image import debian, disk, updates
from image.release import Release
from image.slots import COMMITTED, Disk, State
from tests.image import box as boxes
from tests.image.machine import Machine
from tests.image.test_sandbox import MOST_EXPOSED
from tests.signer import Signer

UPDATE, COMMIT = "cleandesk-update.service", "cleandesk-commit.service"
WATCHED = "cleandesk-update.path"
CARD, FETCHED = "/boot/firmware/cleandesk", "/var/lib/cleandesk/update"
TOLD = "/var/lib/cleandesk-update/told"
RELEASE = Release("0.1.200", "c" * 40, 1767225600)
NEWER, OLDER = "0.1.300", "0.1.100"
_SLOT_MIB = 8
_NUMBERS = itertools.count()
_LINKS = "/dev/disk/by-partuuid"
_POLICY = Path("etc/dbus-1/system.d/cleandesk-rauc.conf")


class Box(Machine):
    """A machine with two slots, whose boot loader is the test."""

    def __init__(self, home: Path, card: Path, signer: Signer) -> None:
        super().__init__(home, "--capability=all", boxes.CLIP_THERE)
        self._home, self.card, self.signer = home, card, signer

    def prepare(self, loops: list[str]) -> None:
        """Give it the card, and RAUC's settings as the image has them."""
        whole, first, second = loops
        for number in range(8):
            self.run("mknod", "-m", "660", f"/dev/loop{number}", "b", "7", str(number), check=False)
        self.run("mknod", "-m", "660", "/dev/loop-control", "c", "10", "237", check=False)
        # What slots.py takes for the disk of a partition is the folder that the kernel has it in.
        self.run("rm", "-rf", "/dev/block")
        self.run("mknod", "-m", "660", "/dev/block", "b", "7", whole.removeprefix("/dev/loop"))
        self.run("mkdir", "-p", _LINKS, "/var/lib/rauc", CARD)
        self.run("chown", "root:cleandesk-update", CARD)
        self.run("chmod", "770", CARD)
        for number, loop in ((2, first), (3, second)):
            self.run("ln", "-sf", loop, f"{_LINKS}/{disk.DISK_ID:08x}-{number:02}")
        root = self._home / "root"
        updates.trust(root, RELEASE, self.signer.authority)
        settings = (root / "etc/rauc/system.conf").read_text()
        self.write("/etc/rauc/system.conf", settings.replace("=verity", "=plain"))
        self.write("/etc/rauc/keyring.pem", self.signer.authority.read_text())
        self.write(f"/{_POLICY}", (debian.HERE / "root" / _POLICY).read_text())
        slots = (debian.HERE / "slots.py").read_text()
        self.write("/usr/lib/cleandesk/slots", slots, mode="755")
        for unit in (UPDATE, "cleandesk-rollback.service"):
            start = "ExecStartPost" if unit == UPDATE else "ExecStart"
            again = "test ! -e /run/cleandesk-update/installed || touch /run/starts-anew"
            again = again if unit == UPDATE else "touch /run/starts-anew"
            self.drop_in(unit, "[Service]", f"{start}=", f"{start}=+/bin/sh -c '{again}'")
        # Of a `plain` bundle RAUC makes sure that nobody else writes to it.
        lease = (f"{kind}=CAP_LEASE" for kind in ("AmbientCapabilities", "CapabilityBoundingSet"))
        self.write(
            f"/run/systemd/system/{UPDATE}.d/80-plain.conf", "\n".join(("[Service]", *lease))
        )
        self.drop_in("rauc.service", "[Service]", "BindReadOnlyPaths=/cmdline:/proc/cmdline")
        self.systemctl("reload", "dbus.service")
        self.starts("a")

    def starts(self, slot: str, *, trial: bool = False) -> None:
        """Have a slot run from now on."""
        part = 2 + "ab".index(slot)
        words = [f"root=PARTUUID={disk.DISK_ID:08x}-{part:02}", f"rauc.slot={slot}"]
        words += ["cleandesk.trial"] if trial else []
        self.write("/cmdline", " ".join(words))
        # In a container systemd takes the words that it was started with for the kernel's.
        self.write("/started-with", "\0".join(["init", *words, ""]))
        self.run("umount", "--quiet", "/proc/1/cmdline", check=False)
        self.run("mount", "--bind", "/started-with", "/proc/1/cmdline")
        self.run("systemctl", "stop", "rauc.service", check=False)
        self.run("rm", "-f", "/run/starts-anew", str(COMMITTED))

    def bundle(
        self,
        slot: Path,
        version: str = NEWER,
        *,
        by: Signer | None = None,
        compatible: str = updates.COMPATIBLE,
    ) -> Path:
        """Make a bundle that needs no device mapper."""
        folder = self._home / f"bundle-{next(_NUMBERS)}"
        folder.mkdir()
        (folder / "root.img").write_bytes(slot.read_bytes())
        (folder / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n\n"
            "[image.rootfs]\nfilename=root.img\n"
        )
        signer, product = by or self.signer, folder.with_suffix(".raucb")
        signed = [f"--cert={signer.cert}", f"--key={signer.key}"]
        subprocess.run(
            ["rauc", *signed, "bundle", str(folder), str(product)], check=True, capture_output=True
        )
        return product

    def put(self, bundle: Path, name: str = BUNDLE) -> str:
        """Lay a bundle on the card; returns where."""
        target = self.path(f"{CARD}/{name}")
        target.write_bytes(bundle.read_bytes())
        return f"{CARD}/{name}"

    def hand_over(self, bundle: Path, *, verity: bool = False) -> None:
        """Have the box's user do what the box does with what it fetched."""
        incoming, user = f"{FETCHED}/incoming", ["setpriv", "--reuid=cleandesk", "--clear-groups"]
        self.path(incoming).write_bytes(bundle.read_bytes())
        # Of a `plain` bundle RAUC wants to be the owner; `verity` is guarded block by block.
        owner = "cleandesk" if verity else "root"
        self.run("chown", f"{owner}:cleandesk-update", incoming)
        self.run("chmod", "640", incoming)
        self.run(*user, "mv", incoming, f"{FETCHED}/{BUNDLE}")

    def told_to_the_box(self) -> str:
        """What the box's user reads of the updater's work."""
        return self.run("setpriv", "--reuid=cleandesk", "--clear-groups", "cat", TOLD).stdout

    def said(self) -> str:
        """What stands on the card."""
        return self.run("cat", f"{CARD}/{RESULT}").stdout

    def there(self, path: str | Path) -> bool:
        """Say whether there is a file."""
        return self.run("test", "-e", str(path), check=False).returncode == 0

    @property
    def slots(self) -> State:
        """What is on the card."""
        return Disk(self.card).read()

    def slot(self, number: int) -> bytes:
        """Return what is in a slot."""
        with self.card.open("rb") as file:
            file.seek(_start(number))
            return file.read(_SLOT_MIB * disk.MIB)


def _start(number: int) -> int:
    return disk.PARTS[0].start * disk.MIB + number * _SLOT_MIB * disk.MIB


@contextmanager
def _loop(card: Path, *options: str) -> Iterator[str]:
    command = ["losetup", "--find", "--show", *options, str(card)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield name
    finally:
        subprocess.run(["losetup", "--detach", name], check=True)


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    """Return what stands for a slot's file system."""
    path = tmp_path / "slot"
    path.write_bytes(random.Random(1).randbytes(_SLOT_MIB * disk.MIB))
    return path


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    card = tmp_path / "card"
    card.write_bytes(bytes(_start(2)))
    Disk(card).write(State("a"))
    size = ["--sizelimit", str(_SLOT_MIB * disk.MIB)]
    with ExitStack() as stack:
        loops = [stack.enter_context(_loop(card))]
        loops += [
            stack.enter_context(_loop(card, "--offset", str(_start(number)), *size))
            for number in range(2)
        ]
        box = stack.enter_context(Box(tmp_path, card, Signer(tmp_path / "signer")))
        box.prepare(loops)
        yield box
        box.run("systemctl", "stop", "rauc.service", check=False)


def test_an_update_is_written_tried_and_committed(box: Box, slot: Path) -> None:
    box.put(box.bundle(slot))
    box.start(UPDATE)
    assert box.slots == State("a", "b", 3)
    assert box.slot(1) == slot.read_bytes()
    assert box.slot(0) == bytes(_SLOT_MIB * disk.MIB), "what runs is not written to"
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
    assert box.slot(1) == bytes(_SLOT_MIB * disk.MIB)


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
