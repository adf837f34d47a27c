"""The card: the state of the slots, a boot partition, two root slots, and a data partition."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from image import environment
from image.debian import HERE
from image.errors import ImageError
from image.host import run
from image.slots import Disk, State
from image.tools import Tools

MIB = 1024 * 1024
#: Sizes in MiB. The boot partition has room for an update, a slot for a root that grows; what is
#: left of a card stays unused, which cards are glad of.
BOOT, SLOT, DATA = 768, 1536, 1024
#: A card erases up to 4 MiB at once, and a power cut may damage all of that: the table, either copy
#: of the slots' state and the first partition each begin in one of their own.
_FIRST = 12
#: Of this layout, not of a card: the slots' names come from it.
DISK_ID = 0x636C6561
_FAT_ID = "636C6561"
#: Folders of the data partition; fstab binds them to where programs look, tmpfiles.d gives them
#: away.
FOLDERS = (
    "etc/cleandesk", "lib/cleandesk", "lib/cleandesk-page", "lib/cleandesk-update", "lib/rauc",
    "lib/systemd",
)  # fmt: skip
_FIRMWARE = ("bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat")
_TREES = ("bcm2710*.dtb", "bcm2711*.dtb", "bcm2712*.dtb", "bcm2837*.dtb")
#: The slot for cards of the Raspberry Pi 4, 400 and CM4. Mainline's trees give it no number, so
#: U-Boot would count the radio's first, and it looks for its environment on the first alone.
_FOURS, _CARD = "bcm2711*.dtb", "/emmc2bus/mmc@7e340000"
#: What the firmware must be told of the kernel: Debian's goes by the names of mainline's device
#: trees; the Raspberry Pi's own has overlays, of which the firmware takes the one of its camera.
_MAINLINE, _OVERLAYS = "upstream_kernel=1\n", "camera_auto_detect=1\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One partition.

    Attributes:
        start: In MiB.
        size: In MiB.
        kind: Its MBR type.
    """

    start: int
    size: int
    kind: str


PARTS = (
    Part(_FIRST, BOOT, "c"),
    Part(_FIRST + BOOT, SLOT, "83"),
    Part(_FIRST + BOOT + SLOT, SLOT, "83"),
    Part(_FIRST + BOOT + 2 * SLOT, DATA, "83"),
)
TOTAL = PARTS[-1].start + PARTS[-1].size


@dataclass(frozen=True, slots=True)
class Ext4:
    """A file system to be made.

    Attributes:
        label: Its name, for fstab.
        uuid: Of this layout, not of a card.
        size: In MiB.
        journal: Whether it is ever written to.
    """

    label: str
    uuid: str
    size: int
    journal: bool

    def make(self, tools: Tools, tree: Path, product: Path, epoch: int) -> None:
        """Make it of a folder, without mounting.

        Args:
            tools: Of the image's own Debian: an older mke2fs would tell when it was made.
            tree: What goes into it.
            product: The file.
            epoch: Its times.
        """
        tools.run(
            *("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-m", "0"),
            *("-O", "has_journal" if self.journal else "^has_journal"),
            *("-L", self.label, "-U", self.uuid),
            *("-E", f"hash_seed={self.uuid},lazy_itable_init=0"),
            *("-d", tools.seen(tree), tools.seen(product), f"{self.size}M"),
            env={"SOURCE_DATE_EPOCH": str(epoch)},
        )


SLOT_SYSTEM = Ext4("cleandesk-root", "636c6561-6e64-4573-8b00-000000000001", SLOT, journal=False)
DATA_SYSTEM = Ext4("cleandesk-data", "636c6561-6e64-4573-8b00-000000000002", DATA, journal=True)


def boot_files(root: Path, folder: Path, epoch: int) -> None:
    """Gather what the boot partition holds.

    Raises:
        ImageError: If the root lacks firmware or boot loader.
    """
    folder.mkdir()
    firmware = root / "usr/lib/raspi-firmware"
    trees = _trees_of(root)
    loader = root / "usr/lib/u-boot/rpi_arm64/u-boot.bin"
    if trees is None or not loader.exists() or not firmware.exists():
        raise ImageError(f"{root} lacks device trees, u-boot-rpi or raspi-firmware")
    for source, patterns in ((firmware, _FIRMWARE), (trees, _TREES)):
        for pattern in patterns:
            for path in source.glob(pattern):
                shutil.copy(path, folder)
    shutil.copy(loader, folder)
    (folder / environment.NAME).write_bytes(environment.of(loader))
    overlays = overlays_of(root)
    if overlays is not None:
        shutil.copytree(overlays, folder / overlays.name)
    config = (HERE / "config.txt").read_text(encoding="ascii")
    config += _MAINLINE if overlays is None else _OVERLAYS
    (folder / "config.txt").write_text(config, encoding="ascii")
    run(
        [
            *("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", "cleandesk"),
            *("-d", HERE / "boot.cmd", folder / "boot.scr"),
        ],
        env={"SOURCE_DATE_EPOCH": str(epoch)},
    )


def overlays_of(root: Path) -> Path | None:
    """Return the folder of the overlays that the Raspberry Pi's own kernel has; None: Debian's."""
    trees = _trees_of(root)
    overlays = None if trees is None else trees.parent / "overlays"
    return overlays if overlays is not None and overlays.exists() else None


def _trees_of(root: Path) -> Path | None:
    return next(iter((root / "usr/lib").glob("linux-image-*/broadcom")), None)


def number_the_card(tools: Tools, folder: Path) -> None:
    """Make the card the first of its kind in the device trees of a boot partition's folder.

    Raises:
        ImageError: If a tree has another slot for it.
    """
    for tree in sorted(folder.glob(_FOURS)):
        tools.run("fdtget", tools.seen(tree), _CARD, "compatible")
        tools.run("fdtput", "--type", "s", tools.seen(tree), "/aliases", "mmc0", _CARD)


def fat(folder: Path, product: Path, epoch: int) -> None:
    """Make the boot partition of a folder, by mtools."""
    run(["truncate", f"--size={BOOT}M", product])
    run(["mkfs.vfat", "--invariant", "-F", "32", "-n", "CLEANDESK", "-i", _FAT_ID, product])
    env = {"SOURCE_DATE_EPOCH": str(epoch), "MTOOLS_SKIP_CHECK": "1"}
    for path in sorted(folder.rglob("*")):
        where = f"::{path.relative_to(folder)}"
        if path.is_dir():
            run(["mmd", "-i", product, where], env=env)
        else:
            os.utime(path, (epoch, epoch))
            run(["mcopy", "-m", "-Q", "-i", product, path, where], env=env)


def assemble(parts: list[Path], product: Path) -> None:
    """Write partitions, in the order of PARTS, and the state of the slots into one image."""
    run(["truncate", f"--size={TOTAL}M", product])
    table = f"label: dos\nlabel-id: 0x{DISK_ID:08x}\nunit: sectors\n" + "".join(
        f"start={part.start * 2048}, size={part.size * 2048}, type={part.kind}"
        f"{', bootable' if part is PARTS[0] else ''}\n"
        for part in PARTS
    )
    run(["sfdisk", "--quiet", product], stdin=table)
    for part, path in zip(PARTS, parts, strict=True):
        run(
            [
                *("dd", f"if={path}", f"of={product}", "bs=1M", f"seek={part.start}"),
                *("conv=notrunc,sparse", "status=none"),
            ]
        )
    Disk(product).write(State("a"))


def data_tree(folder: Path) -> None:
    """Make what an empty data partition holds."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
