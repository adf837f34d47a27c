"""boot.cmd on real U-Boots in QEMU: which slot it takes, what it writes, and what it survives.

Where no slot holds a kernel, it goes on to say that none can be started.
"""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from image import debian, disk, host, tools
from image.__main__ import REPOSITORY
from image.slots import FIRST, SECOND, SECTOR, Disk, State
from tests.eventually import eventually

#: Of this machine's Debian, and of the image's, where one was built.
LOADERS = {
    "host": Path("/") / tools.UBOOT,
    "image": REPOSITORY / "build/image/tools" / tools.UBOOT,
}
HERE = [name for name, path in LOADERS.items() if path.exists()]
_NEEDED = ("qemu-system-aarch64", "mkimage", "mkfs.vfat", "mcopy", "sfdisk")
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        not HERE or any(shutil.which(name, path=_PATH) is None for name in _NEEDED),
        reason="apt install qemu-system-arm u-boot-qemu u-boot-tools dosfstools mtools fdisk",
    ),
]


#: A kernel as the boot loader sees it, of which only the header counts: how much memory it takes.
_GROWN_MIB = 100
_HANG = 0x14000000  # b .
_ANYWHERE = 0b1010  # little-endian, 4 kB pages, any place that 2 MiB divide


def _kernel() -> bytes:
    head = struct.pack("<IIQQQ", _HANG, 0, 0, _GROWN_MIB * disk.MIB, _ANYWHERE)
    return head.ljust(56, b"\0") + b"ARM\x64" + bytes(4036)


class Card:
    """An image whose slots are empty.

    Args:
        folder: For its parts.
        loader: The boot loader that starts it.
        slot: What is in slot a; default: nothing.
    """

    def __init__(self, folder: Path, loader: Path, slot: Path | None = None) -> None:
        self._loader = loader
        self.path, self._console = folder / "card.img", folder / "console"
        boot, empty = folder / "boot", folder / "empty"
        boot.mkdir()
        host.run(
            [
                *("mkimage", "-A", "arm64", "-T", "script", "-C", "none"),
                *("-d", debian.HERE / "boot.cmd", boot / "boot.scr"),
            ]
        )
        disk.fat(boot, folder / "boot.vfat", 1_767_225_600)
        host.run(["truncate", "--size=1M", empty])
        disk.assemble([folder / "boot.vfat", slot or empty, empty, empty], self.path)

    def spoil(self, sector: int) -> None:
        """Damage one copy of the state."""
        with self.path.open("r+b") as file:
            file.seek(sector * SECTOR + 10)
            file.write(b"\xff")

    def boot(self, until: str = "no slot can be") -> list[str]:
        """Start it, until it says something; returns the slots that U-Boot tried, in order."""
        self._console.unlink(missing_ok=True)
        machine = subprocess.Popen(
            [
                *("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-m", "512"),
                *("-bios", self._loader, "-drive", f"file={self.path},format=raw,if=virtio"),
                *("-nic", "none", "-display", "none", "-serial", f"file:{self._console}"),
            ]
        )
        try:
            eventually(lambda: until in self.said, "U-Boot's last word", within_s=240)
        finally:
            machine.kill()
            machine.wait()
        mark = "cleandesk: slot "
        lines = [line.strip() for line in self.said.splitlines()]
        return [line[-1] for line in lines if line.startswith(mark) and len(line) == len(mark) + 1]

    @property
    def said(self) -> str:
        """What is on the console."""
        return self._console.read_text(errors="replace") if self._console.exists() else ""


@pytest.fixture(scope="module", params=HERE)
def loader(request: pytest.FixtureRequest) -> Path:
    """Return one boot loader after the other."""
    return LOADERS[request.param]


@pytest.fixture(scope="module")
def card(loader: Path, tmp_path_factory: pytest.TempPathFactory) -> Card:
    return Card(tmp_path_factory.mktemp("card"), loader)


@pytest.mark.parametrize(
    ("before", "first", "after"),
    [
        (State("a"), "a", State("a")),
        (State("b"), "b", State("b")),
        (State("a", "b", 3), "b", State("a", "b", 2)),
        (State("b", "a", 1), "a", State("b", "a", 0)),
        (State("a", "b", 0), "a", State("a")),
    ],
)
def test_a_trial_is_counted_and_a_committed_slot_is_not(
    card: Card, before: State, first: str, after: State
) -> None:
    Disk(card.path).write(before)
    assert card.boot()[0] == first
    assert Disk(card.path).read() == after


def test_a_slot_that_cannot_be_read_is_left_for_the_other(card: Card) -> None:
    Disk(card.path).write(State("b"))
    assert card.boot() == ["b", "b", "b", "a", "b"]


def test_a_committed_slot_is_tried_thrice_before_another_one_comes_in_its_place(card: Card) -> None:
    Disk(card.path).write(State("b", "a", 2))
    assert card.boot()[:4] == ["a", "b", "b", "a"]
    Disk(card.path).write(State("a"))
    assert card.boot()[:3] == ["a", "a", "a"]


@pytest.mark.parametrize("damaged", [FIRST, SECOND])
def test_one_damaged_copy_changes_nothing(card: Card, damaged: int) -> None:
    for _ in range(2):
        Disk(card.path).write(State("b", "a", 2))
    card.spoil(damaged)
    assert card.boot()[0] == "a"
    assert Disk(card.path).read() == State("b", "a", 1)


def test_without_any_state_the_first_slot_boots(card: Card) -> None:
    card.spoil(FIRST)
    card.spoil(SECOND)
    assert card.boot()[0] == "a"


@pytest.fixture(scope="module")
def bootable(loader: Path, tmp_path_factory: pytest.TempPathFactory) -> Card:
    """Return a card with a kernel in slot a."""
    home = tmp_path_factory.mktemp("bootable")
    files, slot = home / "files", home / "slot.ext4"
    (files / "boot").mkdir(parents=True)
    (files / "boot/vmlinuz").write_bytes(_kernel())
    (files / "boot/initrd.img").write_bytes(bytes(disk.MIB))
    host.run(["mke2fs", "-q", "-t", "ext4", "-d", files, slot, "8M"])
    return Card(home, loader, slot)


def test_a_kernel_may_grow_and_its_initramfs_is_not_overwritten(bootable: Card) -> None:
    Disk(bootable.path).write(State("a"))
    assert bootable.boot(until="Starting kernel") == ["a"]
    assert "overlaps" not in bootable.said


@pytest.mark.parametrize(
    ("state", "tried", "trial", "instead"),
    [
        (State("a"), ["a"], False, False),
        (State("b", "a", 3), ["a"], True, False),
        (State("a", "b", 0), ["a"], False, False),
        # What was on trial cannot be read: the committed one is on no trial.
        (State("a", "b", 3), ["b", "a"], False, False),
        # The committed one cannot be read, and nobody has committed what is left.
        (State("b"), ["b", "b", "b", "a"], True, True),
        (State("b", "a", 0), ["b", "b", "b", "a"], True, True),
    ],
)
def test_the_kernel_is_told_whether_what_it_starts_is_on_trial(
    bootable: Card, state: State, tried: list[str], *, trial: bool, instead: bool
) -> None:
    Disk(bootable.path).write(state)
    assert bootable.boot(until="Starting kernel") == tried
    said = [line for line in bootable.said.splitlines() if "root=PARTUUID=" in line]
    (told,) = [line.split() for line in said]
    assert "rauc.slot=a" in told
    assert ("cleandesk.trial" in told, "cleandesk.instead" in told) == (trial, instead)


def test_a_trial_that_cannot_be_loaded_keeps_the_tries_that_remain(bootable: Card) -> None:
    Disk(bootable.path).write(State("a", "b", 3))
    assert bootable.boot(until="Starting kernel") == ["b", "a"]
    assert Disk(bootable.path).read() == State("a", "b", 2)
