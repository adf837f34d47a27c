"""Where a card's files may go, and where not."""

import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleandesk_fleet.provision.errors import ProvisionError, UnsafeTargetError
from cleandesk_fleet.provision.targets import Image, Mounted, target

SECTOR = 512
needs_mtools = pytest.mark.skipif(
    shutil.which("mformat") is None, reason="mtools are not installed: `make test` installs them"
)
FILES = {"claim.json": b"{}", "ca.pem": b"a certificate"}


class Machine:
    """A made-up kernel: one disk with one partition, and what is mounted."""

    def __init__(self, home: Path) -> None:
        self.boot = home / "boot part"
        self.boot.mkdir()
        self.system, self.mounts = home / "dev", home / "mountinfo"
        self.system.mkdir()
        self.disk = home / "block" / "sdx"
        partition = self.disk / "sdx1"
        partition.mkdir(parents=True)
        (partition / "partition").write_text("1\n")
        (partition / "dev").write_text("8:1\n")
        device = self.boot.stat().st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        (self.system / number).symlink_to(partition)
        self.removable("1")
        self.mounted("vfat")

    def removable(self, said: str, kind: str | None = None) -> None:
        (self.disk / "removable").write_text(f"{said}\n")
        if kind is not None:
            (self.disk / "device").mkdir()
            (self.disk / "device" / "type").write_text(f"{kind}\n")

    def mounted(self, kind: str) -> None:
        where = str(self.boot).replace("\\", "\\134").replace(" ", "\\040")
        self.mounts.write_text(
            f"20 1 0:5 / / rw - ext4 /dev/sda1 rw\n36 20 8:1 / {where} rw - {kind} /dev/sdx1 rw\n"
        )

    def device(self, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Return what passes for the disk's own device: it has the number 0:0."""
        monkeypatch.setattr(stat, "S_ISBLK", lambda _: True)
        (self.system / "0:0").symlink_to(self.disk)
        return self.boot

    def find(self, path: Path) -> object:
        return target(path, system=self.system, mounts=self.mounts)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_mounted_boot_partition_of_a_removable_card_is_written(machine: Machine) -> None:
    place = machine.find(machine.boot)
    assert isinstance(place, Mounted)
    for _ in range(2):
        place.write(FILES)
    folder = machine.boot / "cleandesk"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def test_a_built_in_reader_says_by_the_cards_type_that_it_is_removable(machine: Machine) -> None:
    machine.removable("0", "SD")
    assert isinstance(machine.find(machine.boot), Mounted)


@pytest.mark.parametrize("kind", [None, "MMC"])
def test_a_disk_that_stays_is_refused(machine: Machine, kind: str | None) -> None:
    machine.removable("0", kind)
    with pytest.raises(UnsafeTargetError, match="sdx, which is not removable"):
        machine.find(machine.boot)
    assert list(machine.boot.iterdir()) == []


def test_a_disk_that_is_not_known_is_refused(machine: Machine) -> None:
    (machine.disk / "removable").unlink()
    with pytest.raises(UnsafeTargetError, match="not removable"):
        machine.find(machine.boot)


def test_a_card_of_which_a_partition_is_mounted_is_refused(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = machine.device(monkeypatch)
    with pytest.raises(UnsafeTargetError, match=f"is mounted at {machine.boot}"):
        machine.find(device)
    machine.mounts.write_text("")
    with pytest.raises(ProvisionError, match="Is a directory: do it with sudo"):
        machine.find(device)


def test_a_mount_point_may_have_any_name(tmp_path: Path) -> None:
    home = tmp_path / "jürgen\\ 1"
    home.mkdir()
    machine = Machine(home)
    assert isinstance(machine.find(machine.boot), Mounted)


def test_a_folder_is_no_card(machine: Machine) -> None:
    below = machine.boot / "below"
    below.mkdir()
    with pytest.raises(UnsafeTargetError, match="no mount point"):
        machine.find(below)


def test_a_root_partition_is_no_boot_partition(machine: Machine) -> None:
    machine.mounted("ext4")
    with pytest.raises(UnsafeTargetError, match="is ext4"):
        machine.find(machine.boot)


def test_nothing_there_is_told(machine: Machine) -> None:
    with pytest.raises(UnsafeTargetError, match="give a card"):
        machine.find(machine.boot / "nowhere")


def test_the_systems_own_disk_is_refused() -> None:
    with pytest.raises(UnsafeTargetError):
        target(Path("/"))


def fat(path: Path, offset: int) -> None:
    """Make a FAT file system of 8 MB at an offset of an image."""
    path.write_bytes(bytes(offset + 8 * 1024 * 1024))
    subprocess.run(
        ["mformat", "-i", f"{path}@@{offset}", "-T", "16384", "::"],
        check=True,
        capture_output=True,
    )


def patch(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def plain(path: Path) -> None:
    fat(path, 0)


def mbr(path: Path) -> None:
    fat(path, 2048 * SECTOR)
    entry = struct.pack("<B3xB3xII", 0x80, 0x0C, 2048, 16384)
    patch(path, 446, entry)
    patch(path, 510, b"\x55\xaa")


def gpt(path: Path) -> None:
    fat(path, 4096 * SECTOR)
    patch(path, 446, struct.pack("<B3xB3xII", 0, 0xEE, 1, 20000))
    patch(path, 510, b"\x55\xaa")
    patch(path, SECTOR, b"EFI PART")
    patch(path, SECTOR + 72, struct.pack("<QII", 2, 128, 128))
    patch(path, 2 * SECTOR, b"\x01" * 16 + bytes(16) + struct.pack("<QQ", 64, 127))
    patch(path, 2 * SECTOR + 128, b"\x02" * 16 + bytes(16) + struct.pack("<QQ", 4096, 20479))


@needs_mtools
@pytest.mark.parametrize("make", [plain, mbr, gpt])
def test_an_images_boot_partition_is_written(tmp_path: Path, make: object) -> None:
    path = tmp_path / "card.img"
    make(path)  # type: ignore[operator] # one of the three above
    place = target(path)
    assert isinstance(place, Image)
    for _ in range(2):
        place.write(FILES)
    offset = {plain: 0, mbr: 2048 * SECTOR, gpt: 4096 * SECTOR}[make]  # type: ignore[index]
    for name, content in FILES.items():
        read = subprocess.run(
            ["mtype", "-i", f"{path}@@{offset}", f"::/cleandesk/{name}"],
            check=True,
            capture_output=True,
        )
        assert read.stdout == content


@pytest.mark.parametrize(
    "content", [b"", bytes(100_000), b"\x55\xaa" * 4000, bytes(510) + b"\x55\xaa" + b"\xff" * 5000]
)
def test_what_is_no_image_of_a_card_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.img"
    path.write_bytes(content)
    with pytest.raises(UnsafeTargetError, match="no FAT boot partition"):
        target(path)
    assert path.read_bytes() == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    table=st.tuples(
        st.integers(0, 2**64 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1) | st.sampled_from([128, 4096]),
    ),
    more=st.binary(max_size=3000),
    length=st.integers(0, 4096),
)
def test_no_damaged_table_does_more_than_to_be_refused(
    tmp_path: Path, table: tuple[int, int, int], more: bytes, length: int
) -> None:
    path = tmp_path / "card.img"
    protective = bytes(446) + struct.pack("<B3xB3xII", 0, 0xEE, 1, 20000) + bytes(48) + b"\x55\xaa"
    header = b"EFI PART" + bytes(64) + struct.pack("<QII", *table)
    path.write_bytes((protective + header.ljust(SECTOR, b"\0") + more)[:length])
    with pytest.raises(UnsafeTargetError, match="no FAT boot partition"):
        target(path)
