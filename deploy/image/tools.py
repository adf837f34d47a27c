"""Programs of the image's own Debian, for the machine that builds.

They make what the image's programs would, without emulation, and whatever release the builder has.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from image.debian import EPOCH, SUITE
from image.host import run
from image.stages import Stage

#: U-Boot for QEMU: the image's tests start it by the same release as its own.
_PACKAGES = ("device-tree-compiler", "e2fsprogs", "kmod", "python3", "u-boot-qemu")
#: Of a Debian, the boot loader of QEMU's machine.
UBOOT = Path("usr/lib/u-boot/qemu_arm64/u-boot.bin")
#: Where the build folder is for them.
HERE = Path("/mnt")


def stage(sources: str, log: Path) -> Stage:
    """Return the stage that makes the folder with the programs.

    Args:
        sources: Lines for apt.
        log: Gets what it says.
    """

    def make(product: Path) -> None:
        run(
            [
                *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"),
                *('--aptopt=APT::Install-Recommends "false"', f"--include={','.join(_PACKAGES)}"),
                *(SUITE, product, "-"),
            ],
            env={"SOURCE_DATE_EPOCH": str(EPOCH)},
            stdin=sources,
            log=log,
        )

    return Stage("tools", "tools for this machine", (sources, *_PACKAGES), make)


class Tools:
    """The programs, and the build folder that they work on.

    Args:
        build: With the products of stages.
    """

    def __init__(self, build: Path) -> None:
        self._build = build.resolve()

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Run a program; it has the build folder at `/mnt`.

        Raises:
            ImageError: If it fails.
        """
        root = self._build / "tools"
        # The mount is gone with the program.
        bind = 'mount --bind "$1" "$2/mnt" && shift && exec chroot "$@"'
        run(
            [
                *("unshare", "--mount", "--propagation=private", "sh", "-c", bind, "sh"),
                *(self._build, root, *command),
            ],
            env=env,
        )

    def seen(self, path: Path) -> Path:
        """Return where they see something of the build folder."""
        return HERE / path.resolve().relative_to(self._build)

    def compile(self, root: Path, folder: Path) -> None:
        """Compile a root's Python packages: it is read-only where they run.

        The files hold a hash of their source instead of its time, which is not looked at either.

        Raises:
            ImageError: If a file cannot be compiled.
        """
        base = self.seen(root)
        self.run(
            *("python3", "-m", "compileall", "-q", "-j", str(os.cpu_count() or 1)),
            *("--invalidation-mode", "unchecked-hash", "-s", base, "-p", "/", base / folder),
            env={"PYTHONHASHSEED": "0"},
        )
