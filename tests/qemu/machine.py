"""A box in QEMU: the built image on a card of its own, started by U-Boot as on a Raspberry Pi."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from image import disk, tools
from image.slots import Disk, State

_BUILT = Path(os.environ.get("IMAGE", "")).parent / "tools" / tools.UBOOT
#: The release that the image itself has; of an image alone, this machine's.
UBOOT = _BUILT if _BUILT.exists() else Path("/") / tools.UBOOT
NEEDED = (
    *("qemu-system-aarch64", "debugfs", "e2fsck", "fsck.vfat", "mcopy", "mosquitto"),
    *("rauc", "mksquashfs", "openssl"),
)
#: What stands for the host in the guest's network.
HOST = "10.0.2.2"
#: Emulation on a machine with other work takes its time; nothing passes or fails by it.
PATIENCE_S = 3600.0
_ENV = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin", "LC_ALL": "C"}
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_SUPERBLOCK = 1024  # its place, and its size
_BOOT, _SLOTS, _DATA = disk.PARTS[0], disk.PARTS[1:3], disk.PARTS[3]
_PARTS = dict(zip(("boot", "slot a", "slot b", "data"), disk.PARTS, strict=True))
#: What a start does by itself, before it mounts.
_REPAIRS = {_BOOT: ("fsck.vfat", "-a"), _DATA: ("e2fsck", "-p")}


def patiently(condition: Callable[[], object], what: str) -> None:
    """Wait for what an emulated machine does, and leave the processor to it meanwhile."""
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up, f"{what} did not happen in {PATIENCE_S} s"
        time.sleep(3)


def debugfs(system: str | Path, command: str, *, write: bool = False) -> str:
    """Have a command of debugfs done to an ext4 file system that nobody has mounted."""
    words = ["debugfs", *(["-w"] if write else []), "-R", command, system]
    return subprocess.run(words, check=True, capture_output=True, text=True, env=_ENV).stdout


class Machine:
    """One card and the machine that it is in.

    Args:
        image: As `make image` made it; it is copied.
        folder: For the card and the console's log.
    """

    def __init__(self, image: Path, folder: Path) -> None:
        self.card, self._console = folder / "card.img", folder / "console.log"
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", image, self.card], check=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = 0

    @property
    def said(self) -> str:
        """What the console said since the last start."""
        raw = self._console.read_bytes() if self._console.exists() else b""
        return _COLOURS.sub("", raw[self._heard :].decode(errors="replace"))

    def put(self, source: Path, name: str) -> None:
        """Write a file into the data partition of a machine that is off."""
        self._debugfs(_DATA, f"write {source} {name}", write=True)

    def take(self, name: str, target: Path) -> Path:
        """Copy a file from the data partition of a machine that is off."""
        with self._as_the_next_start_finds(_DATA, target.parent) as data:
            debugfs(data, f"dump {name} {target}")
        assert target.exists(), f"{name} is not on the data partition"
        return target

    def holds(self, name: str, scratch: Path) -> dict[str, int]:
        """Return name and size of each file in a folder of the data partition; it is off."""
        with self._as_the_next_start_finds(_DATA, scratch) as data:
            lines = debugfs(data, f"ls -p {name}").split()
        # Each is /inode/mode/user/group/name/size/; a folder has no size.
        rows = [line.split("/") for line in lines]
        return {row[5]: int(row[6]) for row in rows if row[6]}

    def put_on_card(self, source: Path, name: str) -> None:
        """Write a file into the technician's folder of a machine that is off."""
        self._mtools("mcopy", "-D", "o", source, f"::cleandesk/{name}")

    def on_card(self, name: str) -> str:
        """Return what a file in the technician's folder says; empty, if there is none."""
        return self._mtools("mtype", f"::cleandesk/{name}", check=False)

    def trust(self, authority: Path) -> None:
        """Have both slots take updates that somebody signed for."""
        for slot in _SLOTS:
            self._debugfs(slot, "rm etc/rauc/keyring.pem", write=True)  # of an image that has one
            self._debugfs(slot, f"write {authority} etc/rauc/keyring.pem", write=True)

    @property
    def slots(self) -> State:
        """Which slot is committed, and which one is tried."""
        return Disk(self.card).read()

    def add_unit(self, source: Path) -> None:
        """Have slot a start one more unit."""
        home = "etc/systemd/system"
        self._debugfs(_SLOTS[0], f"write {source} {home}/{source.name}", write=True)
        wanted = f"{home}/multi-user.target.wants/{source.name}"
        self._debugfs(_SLOTS[0], f"symlink {wanted} ../{source.name}", write=True)

    def rename(self, label: str) -> None:
        """Give the boot partition another name, as a person's computer may."""
        self._mtools("mlabel", f"::{label}")

    def spoil_data(self) -> None:
        """Zero the first superblock of the data partition: it has no name then."""
        with self.card.open("r+b") as file:
            file.seek(_DATA.start * disk.MIB + _SUPERBLOCK)
            file.write(bytes(_SUPERBLOCK))

    def _debugfs(self, part: disk.Part, command: str, *, write: bool = False) -> str:
        return debugfs(f"{self.card}?offset={part.start * disk.MIB}", command, write=write)

    def _mtools(self, program: str, *words: str | Path, check: bool = True) -> str:
        options = ["-i", f"{self.card}@@{_BOOT.start}M"]
        return subprocess.run(
            [program, *options, *words], check=check, capture_output=True, text=True, env=_ENV
        ).stdout

    def start(self, *, reboots: bool = False) -> Self:
        """Switch it on.

        Args:
            reboots: It may start anew by itself; else QEMU ends with a reset.
        """
        if self._console.exists():
            self._heard = self._console.stat().st_size
        self._process = subprocess.Popen(
            [
                *("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a76", "-smp", "2"),
                *("-m", "1536", "-accel", "tcg,thread=multi", "-bios", UBOOT),
                *("-drive", f"file={self.card},format=raw,if=virtio"),
                *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="),
                *("-device", "virtio-rng-pci", "-display", "none"),
                *(() if reboots else ("-no-reboot",)),
                *("-chardev", f"file,id=serial,path={self._console},append=on"),
                *("-serial", "chardev:serial"),
            ]
        )
        return self

    def says(self, words: str) -> None:
        """Wait until the console says something; no unit may have waited for itself meanwhile."""
        assert self._process is not None
        process = self._process

        def heard() -> bool:
            assert process.poll() is None, f"QEMU ended:\n{self.said[-3000:]}"
            return words in self.said

        patiently(heard, f"{words!r} on the console")
        assert "ordering cycle" not in self.said

    def cut(self) -> None:
        """Take the power away."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def faults(self, folder: Path) -> list[str]:
        """Return what is wrong with the file systems of a machine that is off."""
        found = []
        for name, part in _PARTS.items():
            check = ["fsck.vfat", "-n"] if part is _BOOT else ["e2fsck", "-f", "-n"]
            with self._as_the_next_start_finds(part, folder) as copy:
                done = subprocess.run(
                    [*check, copy], capture_output=True, text=True, check=False, env=_ENV
                )
            if done.returncode:
                found.append(f"{name}: {done.stdout}{done.stderr}")
        return found

    @contextmanager
    def _as_the_next_start_finds(self, part: disk.Part, folder: Path) -> Iterator[Path]:
        """Provide a copy of a partition, with its journal played back, as it lies until then."""
        copy = folder / "partition"
        where = ["bs=1M", f"skip={part.start}", f"count={part.size}", "conv=sparse", "status=none"]
        subprocess.run(["dd", f"if={self.card}", f"of={copy}", *where], check=True)
        if (repair := _REPAIRS.get(part)) is not None:
            subprocess.run([*repair, copy], capture_output=True, check=False, env=_ENV)
        yield copy
        copy.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
