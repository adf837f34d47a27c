"""U-Boot's environment on the card: nobody stops the start, and no network is asked for one.

U-Boot takes the environment that is saved in place of the one in its program, and not in addition,
so the file has all of that, and what differs here.
"""

import zlib
from pathlib import Path

from image.errors import ImageError

#: Debian's u-boot-rpi looks for a file of this name and size in the card's first partition.
NAME, SIZE = "uboot.env", 0x4000
_CRC = 4
_OURS = {
    # Negative, so that it looks for no key: one that came within two seconds kept the box at a
    # prompt until somebody pulled the plug.
    "bootdelay": "-2",
    # A Ctrl-C would end boot.scr in the middle; what comes by serial or a keyboard is not read.
    "stdin": "nulldev",
    # Else it would go on to whoever answers in the home's network.
    "boot_targets": "mmc usb",
    # A card that could not be read once may be the next time.
    "bootcmd": "bootflow scan; sleep 10; reset",
}
#: What boot.cmd goes by, and does not set; but for `fdt_addr`, which the board sets as it starts.
_NEEDED = ("kernel_addr_r",)
_BEGINS, _ENDS = b"\0bootcmd=", b"\0\0"


def of(loader: Path) -> bytes:
    """Return the file for a U-Boot.

    Args:
        loader: The program, which has its own environment in it.

    Raises:
        ImageError: If that is not found in it.
    """
    variables = default(loader) | _OURS
    body = b"\0".join(f"{name}={value}".encode("ascii") for name, value in variables.items())
    if len(body) + len(_ENDS) > SIZE - _CRC:
        raise ImageError(f"{loader}: its environment does not fit in {SIZE} bytes")
    body = body.ljust(SIZE - _CRC, b"\0")
    return zlib.crc32(body).to_bytes(_CRC, "little") + body


def default(loader: Path) -> dict[str, str]:
    """Return the environment that a U-Boot has in its program.

    Raises:
        ImageError: If it is not found, or lacks what boot.cmd needs.
    """
    _, begin, rest = loader.read_bytes().partition(_BEGINS)
    block = (begin + rest).partition(_ENDS)[0].removeprefix(b"\0")
    found = dict(pair.decode("ascii").split("=", 1) for pair in block.split(b"\0") if b"=" in pair)
    missing = [name for name in (*_OURS, *_NEEDED) if name not in found]
    if missing:
        raise ImageError(
            f"{loader}: no {', '.join(missing)} in its environment: see what Debian's U-Boot has "
            "in place of it, and change environment.py and boot.cmd"
        )
    return found
