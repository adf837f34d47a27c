"""Where a card's files go: a mounted boot partition, a card's device, or an image file.

Nothing is written to a disk that is not removable: the wrong letter must not cost a laptop.
"""

import os
import re
import shutil
import stat
import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from cleandesk import whole_file
from cleandesk_fleet.provision.cards import FOLDER
from cleandesk_fleet.provision.errors import ProvisionError, UnsafeTargetError

_SECTOR = 512
_MBR_TABLE, _MBR_ENTRY = 446, 16
_PROTECTIVE = 0xEE
#: Bytes of an entry of a GPT, which says so itself.
_GPT_ENTRY = range(128, 4097)
_FAT = ("vfat", "msdos")
#: How mountinfo writes a space, a tab, a newline and a backslash.
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class _Mount:
    """Something that is mounted: which device, where, and which kind of file system."""

    device: str
    where: str
    kind: str


class Target(Protocol):
    """A place that files can be written to."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files, by name, into the folder `cleandesk` of the boot partition."""


class Mounted:
    """A boot partition that is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write the files, and flush them to the card."""
        folder = self._folder / FOLDER
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            whole_file.write(folder / name, content)


class Image:
    """An image file, or a card's device that is not mounted; written by mtools, without root."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._offset = _boot_partition(file, path)
        except OSError as error:
            raise ProvisionError(
                f"{path}: {error.strerror}: do it with sudo, or mount its boot partition and give "
                "that"
            ) from error
        self._path = path

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write the files.

        Raises:
            ProvisionError: If mtools are missing or fail.
        """
        if shutil.which("mcopy") is None:
            raise ProvisionError("no mtools: 'apt install mtools', then try again")
        with tempfile.TemporaryDirectory(prefix="cleandesk-card-") as home:
            folder = Path(home) / FOLDER
            folder.mkdir()
            for name, content in files.items():
                (folder / name).write_bytes(content)
            self._copy(folder)

    def _copy(self, folder: Path) -> None:
        where = f"{self._path}@@{self._offset}"
        done = subprocess.run(  # noqa: S603 - no shell
            ["mcopy", "-o", "-s", "-Q", "-i", where, str(folder), "::/"],  # noqa: S607 - by PATH
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise ProvisionError(
                f"{self._path}: not written ({done.stderr.strip()[:300]}): is it whole, has it "
                "room, and may this user write it?"
            )


def target(
    path: Path,
    *,
    system: Path = Path("/sys/dev/block"),
    mounts: Path = Path("/proc/self/mountinfo"),
) -> Target:
    """Return the place at a path, if it is one that may be written.

    Args:
        path: A mount point, a block device, or an image file.
        system: The kernel's devices.
        mounts: What is mounted.

    Raises:
        UnsafeTargetError: If it is something else, or its disk is not removable.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise UnsafeTargetError(f"{path}: {error.strerror}: give a card or an image") from error
    if stat.S_ISREG(found.st_mode):
        return Image(path)
    if stat.S_ISBLK(found.st_mode):
        _refuse_fixed(path, found.st_rdev, system)
        _refuse_mounted(path, found.st_rdev, system, _mounts(mounts))
        return Image(path)
    # The last one that was mounted here counts.
    here = [one for one in _mounts(mounts) if one.where == str(path.resolve())]
    if not here:
        raise UnsafeTargetError(
            f"{path} is no mount point: mount the card's boot partition, or give its device"
        )
    if here[-1].kind not in _FAT:
        raise UnsafeTargetError(
            f"{path} is {here[-1].kind}, a boot partition is FAT: give that one"
        )
    _refuse_fixed(path, found.st_dev, system)
    return Mounted(path)


def _refuse_fixed(path: Path, device: int, system: Path) -> None:
    """Raise if a disk is not removable; built-in card readers say so by the card's type."""
    here = (system / _number(device)).resolve()
    disk = here.parent if (here / "partition").exists() else here
    if _said(disk / "removable") == "1" or _said(disk / "device" / "type") == "SD":
        return
    raise UnsafeTargetError(
        f"{path} lies on {disk.name}, which is not removable: nothing was written; give the card's "
        "boot partition, or an image file"
    )


def _refuse_mounted(path: Path, device: int, system: Path, mounts: Sequence[_Mount]) -> None:
    """Raise if a device, or a partition of it, is mounted: two would write one file system."""
    parts = [one.parent for one in (system / _number(device)).resolve().glob("*/partition")]
    numbers = {_number(device), *(_said(part / "dev") for part in parts)}
    for one in mounts:
        if one.device in numbers:
            raise UnsafeTargetError(
                f"{path} is mounted at {one.where}: give that, if it is the boot partition, or "
                "unmount it"
            )


def _number(device: int) -> str:
    """Return a device's number as the kernel's files have it."""
    return f"{os.major(device)}:{os.minor(device)}"


def _mounts(table: Path) -> list[_Mount]:
    """Read what is mounted: mountinfo, as proc(5) has it."""
    found = []
    for line in table.read_text(encoding="utf-8", errors="surrogateescape").split("\n"):
        words, _, more = line.partition(" - ")
        if more:
            device, _root, where = words.split(" ")[2:5]
            where = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), where)
            found.append(_Mount(device, where, more.split(" ")[0]))
    return found


def _said(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _boot_partition(file: BinaryIO, path: Path) -> int:
    """Return where the first FAT file system of an image begins, in bytes.

    Raises:
        UnsafeTargetError: If there is none.
    """
    for offset in (0, *_partitions(file)):
        sector = _read(file, offset, _SECTOR)
        if sector[54:57] == b"FAT" or sector[82:85] == b"FAT":
            return offset
    raise UnsafeTargetError(f"{path} holds no FAT boot partition: is it an image of a card?")


def _partitions(file: BinaryIO) -> list[int]:
    """Return where the partitions of an MBR or a GPT begin, in bytes."""
    table = _read(file, 0, _SECTOR)
    if table[510:512] != b"\x55\xaa":
        return []
    entries = [table[_MBR_TABLE + i * _MBR_ENTRY :][:_MBR_ENTRY] for i in range(4)]
    if any(entry[4] == _PROTECTIVE for entry in entries):
        return _gpt(file)
    return [struct.unpack_from("<I", entry, 8)[0] * _SECTOR for entry in entries if entry[4]]


def _gpt(file: BinaryIO) -> list[int]:
    header = _read(file, _SECTOR, _SECTOR)
    if header[:8] != b"EFI PART" or len(header) < _SECTOR:
        return []
    first, count, size = struct.unpack_from("<QII", header, 72)
    if size not in _GPT_ENTRY:
        return []
    table = _read(file, first * _SECTOR, min(count, 128) * size)
    entries = [table[i : i + size] for i in range(0, len(table) - size + 1, size)]
    return [
        struct.unpack_from("<Q", entry, 32)[0] * _SECTOR for entry in entries if any(entry[:16])
    ]


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    """Return what lies there; nothing beyond the end, which a damaged table may name."""
    if offset >= file.seek(0, os.SEEK_END):
        return b""
    file.seek(offset)
    return file.read(size)
