"""What U-Boot finds on the card in place of its own environment."""

import zlib
from pathlib import Path

import pytest

from image import environment
from image.errors import ImageError
from tests.unit.image.test_disk import UBOOT


def _variables(file: bytes) -> dict[str, str]:
    """Return what is in it, as U-Boot reads it: a CRC, then each variable, then an empty one."""
    crc, body = file[:4], file[4:]
    assert zlib.crc32(body).to_bytes(4, "little") == crc
    listed, _, rest = body.partition(b"\0\0")
    assert not rest.strip(b"\0")
    return dict(one.split("=", 1) for one in listed.decode().split("\0"))


@pytest.fixture
def loader(tmp_path: Path) -> Path:
    path = tmp_path / "u-boot.bin"
    path.write_bytes(UBOOT)
    return path


def test_no_key_stops_it_no_network_is_asked_and_it_starts_anew(loader: Path) -> None:
    file = environment.of(loader)
    assert len(file) == 0x4000
    found = _variables(file)
    assert found["bootdelay"] == "-2"
    assert found["stdin"] == "nulldev"
    assert found["boot_targets"].split() == ["mmc", "usb"]
    assert found["bootcmd"].split("; ")[0] == "bootflow scan"
    assert found["bootcmd"].split("; ")[-1] == "reset"


def test_all_else_is_as_the_boot_loader_has_it(loader: Path) -> None:
    found = _variables(environment.of(loader))
    assert found["fdt_high"] == "ffffffffffffffff"
    assert found["kernel_addr_r"] == "0x00080000"
    assert found.keys() == environment.default(loader).keys()
    assert "x" not in found


@pytest.mark.parametrize("lacks", [b"kernel_addr_r", b"boot_targets", b"bootcmd"])
def test_another_boot_loader_ends_the_build(loader: Path, lacks: bytes) -> None:
    loader.write_bytes(UBOOT.replace(lacks + b"=", b"other="))
    with pytest.raises(ImageError, match=lacks.decode()):
        environment.of(loader)


def test_what_does_not_fit_ends_the_build(loader: Path) -> None:
    loader.write_bytes(UBOOT.replace(b"0x00080000", b"0" * environment.SIZE))
    with pytest.raises(ImageError, match="fit"):
        environment.of(loader)
