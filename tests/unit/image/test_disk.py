"""The card's partitions, as the system on it finds them."""

import filecmp
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from image import debian, disk, host
from image.errors import ImageError
from image.slots import FIRST, SECOND, SECTOR
from image.tools import Tools

#: A boot loader, as far as the card's files are made of it.
UBOOT = (
    b"U-Boot\0bootcmd=bootflow scan\0bootdelay=2\0boot_targets=mmc usb pxe dhcp\0"
    b"stdin=serial,usbkbd\0fdt_high=ffffffffffffffff\0kernel_addr_r=0x00080000\0\0\xa0more\0x=1\0\0"
)
FSTAB = debian.HERE / "root/etc/fstab"


def _fields() -> dict[str, list[str]]:
    lines = FSTAB.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {row[1]: row for row in rows}


def test_partitions_are_found_by_their_place_and_not_by_a_name_that_somebody_may_change() -> None:
    found = {row[0]: where for where, row in _fields().items() if row[0].isupper() or "=" in row[0]}
    assert found == {
        f"PARTUUID={disk.DISK_ID:08x}-01": "/boot/firmware",
        f"PARTUUID={disk.DISK_ID:08x}-{len(disk.PARTS):02}": "/data",
    }


def test_a_disk_that_never_comes_ends_the_start_and_the_technicians_folder_does_not() -> None:
    fields = _fields()
    for where in ("/boot/firmware", "/data"):
        assert "x-systemd.device-timeout=10min" in fields[where][3]
    assert "nofail" in fields["/boot/firmware"][3]
    assert "nofail" not in fields["/data"][3]


def test_what_the_data_partition_holds_is_bound_to_where_programs_look() -> None:
    bound = {row[0] for row in _fields().values() if row[3] == "bind"}
    assert bound == {f"/data/{name}" for name in disk.FOLDERS}


def test_what_a_card_erases_at_once_holds_one_thing() -> None:
    table = 0
    state = [sector * SECTOR for sector in (FIRST, SECOND)]
    starts = [part.start * disk.MIB for part in disk.PARTS]
    ends = [(part.start + part.size) * disk.MIB for part in disk.PARTS]
    blocks = [place // (4 * disk.MIB) for place in (table, *state, *starts)]
    assert blocks == sorted(set(blocks))
    assert all(start % (4 * disk.MIB) == 0 for start in starts)
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


def test_the_boot_script_knows_the_places_of_the_state() -> None:
    script = (debian.HERE / "boot.cmd").read_text(encoding="ascii")
    assert f"setenv first {FIRST:x}\nsetenv second {SECOND:x}\n" in script


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root with firmware, boot loader and Debian's kernel."""
    root = tmp_path / "root"
    for name in (
        "usr/lib/raspi-firmware/start4.elf",
        "usr/lib/u-boot/rpi_arm64/u-boot.bin",
        "usr/lib/linux-image-6.12/broadcom/bcm2711-rpi-4-b.dtb",
        "usr/lib/linux-image-6.12/broadcom/bcm2835-rpi-zero.dtb",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="ascii")
    (root / "usr/lib/u-boot/rpi_arm64/u-boot.bin").write_bytes(UBOOT)
    return root


needs_tools = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("mkimage", "mcopy", "mdir")),
    reason="apt install u-boot-tools mtools",
)


@needs_tools
def test_the_firmware_is_told_which_kernel_it_starts(root: Path, tmp_path: Path) -> None:
    disk.boot_files(root, tmp_path / "debian", 0)
    config = (tmp_path / "debian/config.txt").read_text()
    assert "upstream_kernel=1" in config
    assert "camera_auto_detect" not in config
    assert not (tmp_path / "debian/bcm2835-rpi-zero.dtb").exists()


@needs_tools
def test_the_card_has_the_boot_loaders_environment_where_it_looks_for_it(
    root: Path, tmp_path: Path
) -> None:
    disk.boot_files(root, tmp_path / "boot", 1_767_225_600)
    disk.fat(tmp_path / "boot", tmp_path / "boot.vfat", 1_767_225_600)
    # The name, the size and the place that u-boot-rpi is built for.
    host.run(["mcopy", "-i", tmp_path / "boot.vfat", "::uboot.env", tmp_path / "taken"])
    assert (tmp_path / "taken").stat().st_size == 0x4000
    assert disk.PARTS[0].kind == "c"


@needs_tools
def test_the_raspberry_pi_s_own_kernel_brings_its_overlays_onto_the_card(
    root: Path, tmp_path: Path
) -> None:
    overlay = root / "usr/lib/linux-image-6.12/overlays/imx708.dtbo"
    overlay.parent.mkdir()
    overlay.touch()
    disk.boot_files(root, tmp_path / "rpi", 1_767_225_600)
    config = (tmp_path / "rpi/config.txt").read_text()
    assert "camera_auto_detect=1" in config
    assert "upstream_kernel" not in config
    disk.fat(tmp_path / "rpi", tmp_path / "boot.vfat", 1_767_225_600)
    listed = host.run(["mdir", "-b", "-i", tmp_path / "boot.vfat", "::overlays"])
    assert "imx708.dtbo" in listed
    disk.fat(tmp_path / "rpi", tmp_path / "again.vfat", 1_767_225_600)
    assert filecmp.cmp(tmp_path / "boot.vfat", tmp_path / "again.vfat", shallow=False)


class _Here(Tools):
    """The tools of this machine."""

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        host.run(list(command), env=env)

    def seen(self, path: Path) -> Path:
        return path


@pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("dtc", "fdtget", "fdtput")),
    reason="apt install device-tree-compiler",
)
def test_the_card_of_a_raspberry_pi_4_is_the_first_that_the_boot_loader_counts(
    tmp_path: Path,
) -> None:
    radio = "soc { mmc@7e300000 { }; };"
    card = 'emmc2bus { mmc@7e340000 { compatible = "brcm,bcm2711-emmc2"; }; };'

    def make(name: str, *nodes: str) -> Path:
        tree = tmp_path / name
        source = f"/dts-v1/; / {{ aliases {{ }}; {' '.join(nodes)} }};"
        host.run(["dtc", "-I", "dts", "-O", "dtb", "-o", tree], stdin=source)
        return tree

    def number(tree: Path) -> str:
        return host.run(["fdtget", "--default", "none", tree, "/aliases", "mmc0"]).strip()

    four = make("bcm2711-rpi-4-b.dtb", radio, card)
    three = make("bcm2837-rpi-3-b.dtb", radio)
    disk.number_the_card(_Here(tmp_path), tmp_path)
    assert number(four) == "/emmc2bus/mmc@7e340000"
    assert number(three) == "none"
    make("bcm2711-rpi-6.dtb", radio)
    with pytest.raises(ImageError):
        disk.number_the_card(_Here(tmp_path), tmp_path)
