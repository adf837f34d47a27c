"""A module that the kernel calls otherwise is found before a card is flashed, not after."""

from pathlib import Path

import pytest

from image import initramfs
from image.errors import ImageError

WANTED = "# A card.\next4\nmmc_block\ngpio_regulator\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    kernel = tmp_path / "usr/lib/modules/6.12"
    kernel.mkdir(parents=True)
    (kernel / "modules.dep").write_text(
        "kernel/fs/ext4/ext4.ko.xz: kernel/lib/crc16.ko.xz\n"
        "kernel/drivers/regulator/gpio-regulator.ko.xz:\n"
    )
    (kernel / "modules.builtin").write_text("kernel/drivers/mmc/core/mmc_block.ko\n")
    return tmp_path


def _wanted(root: Path, more: str = "") -> Path:
    path = root / "modules"
    path.write_text(WANTED + more)
    return path


def test_a_module_may_be_built_in_and_its_name_have_hyphens(root: Path) -> None:
    initramfs.check(root, _wanted(root))


def test_the_raspberry_pi_s_own_kernel_has_names_of_its_own(root: Path) -> None:
    kernel = root / "usr/lib/modules/6.12"
    kernel.rename(kernel.with_name("6.12.47+rpt-rpi-v8"))
    initramfs.check(root, _wanted(root, "regulator_fixed\n"))


def test_a_name_that_the_kernel_does_not_know_ends_the_build(root: Path) -> None:
    with pytest.raises(ImageError, match=r"6\.12 has no regulator_fixed:"):
        initramfs.check(root, _wanted(root, "regulator_fixed\n"))
