"""The card in QEMU's Raspberry Pi 3, up to the kernel: its own U-Boot, device tree and script.

What the firmware does before that, QEMU does here.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from image import disk, host

_TREE = "bcm2837-rpi-3-b.dtb"
#: QEMU's slot takes cards whose size is a power of two.
_CARD = "8G"
_PATIENCE_S = 900.0
#: A key, and Ctrl-C.
_KEYS = b" \x03"
_PROMPT = "U-Boot> "


class Pi:
    """A Raspberry Pi 3 with a card of its own, on whose serial port somebody types.

    Args:
        image: As `make image` made it; it is copied.
        folder: For the card and the console's log.
    """

    def __init__(self, image: Path, folder: Path) -> None:
        self._card, self._console, self._folder = (
            folder / "card.img",
            folder / "console.log",
            folder,
        )
        host.run(["cp", "--sparse=always", "--reflink=auto", image, self._card])
        host.run(["truncate", f"--size={_CARD}", self._card])

    def boot_partition(self, program: str, *words: str | Path) -> None:
        """Have one of mtools do something to the boot partition."""
        host.run([program, "-i", f"{self._card}@@{disk.PARTS[0].start}M", *words])

    def start(self, until: Callable[[str], bool]) -> str:
        """Type all the time, until the console has said something; returns all that it said."""
        for name in ("u-boot.bin", _TREE):
            self.boot_partition("mcopy", "-n", f"::{name}", self._folder)
        self._console.touch()
        machine = subprocess.Popen(
            [
                *("qemu-system-aarch64", "-M", "raspi3b", "-display", "none"),
                *("-kernel", self._folder / "u-boot.bin", "-dtb", self._folder / _TREE),
                *("-drive", f"file={self._card},format=raw,if=sd", "-serial", "null"),
                *("-chardev", f"stdio,id=serial,signal=off,logfile={self._console}"),
                *("-serial", "chardev:serial"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        try:
            self._type(machine, until)
        finally:
            machine.kill()
            machine.communicate()
        return self._said

    def _type(self, machine: subprocess.Popen[bytes], until: Callable[[str], bool]) -> None:
        assert machine.stdin is not None
        give_up = time.monotonic() + _PATIENCE_S
        while not until(self._said):
            assert time.monotonic() < give_up, self._said[-3000:]
            assert machine.poll() is None, self._said[-3000:]
            assert _PROMPT not in self._said, self._said[-3000:]
            machine.stdin.write(_KEYS)
            machine.stdin.flush()
            time.sleep(0.1)

    @property
    def _said(self) -> str:
        return self._console.read_text(errors="replace")


@pytest.fixture
def pi(image: Path, tmp_path: Path) -> Iterator[Pi]:
    yield Pi(image, tmp_path)
    (tmp_path / "card.img").unlink()


def test_who_types_all_the_time_stops_no_start(pi: Pi) -> None:
    said = pi.start(lambda said: "Starting kernel" in said)
    assert "Loading Environment from FAT... OK" in said
    assert "cleandesk: slot a" in said


def test_where_no_script_is_read_it_starts_anew_and_asks_no_network(pi: Pi) -> None:
    pi.boot_partition("mdel", "::boot.scr")
    said = pi.start(lambda said: said.count("Loading Environment from FAT... OK") > 1)
    assert "BOOTP" not in said
    assert "dhcp" not in said.lower()
