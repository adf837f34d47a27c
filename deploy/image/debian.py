"""The first stage: Debian's packages, unpacked and set up by emulation."""

from pathlib import Path

from image.host import run
from image.stages import Stage, digest_of

HERE = Path(__file__).resolve().parent
SUITE = "trixie"
#: The Raspberry Pi's firmware is not free software.
COMPONENTS = "main non-free-firmware"
#: Files that Debian's set-up makes get this time (2026-01-01), so that the stage is kept from one
#: commit to the next.
EPOCH = 1767225600
_KERNEL = "linux-image-arm64"
#: Programs that set-up runs over and over, which takes minutes by emulation. What starts is
#: decided by our preset, and a box has no use for udev's table of keyboards.
_IDLE = ("deb-systemd-helper", "deb-systemd-invoke", "systemd-hwdb")
_NOT_WANTED = ("man", "doc", "info", "locale", "lintian", "bug")


def packages(*, csi: bool = False) -> list[str]:
    """Return the names of the packages in an image.

    Args:
        csi: For cameras on the Raspberry Pi's CSI connector.
    """
    usual = _listed(HERE / "packages.txt")
    if not csi:
        return usual
    return [name for name in usual if name != _KERNEL] + _listed(HERE / "packages-csi.txt")


def _listed(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def stage(sources: str, wanted: list[str], log: Path) -> Stage:
    """Return the stage that makes the archive of an installed Debian.

    Args:
        sources: Lines for apt.
        wanted: Names of packages.
        log: Gets what it says.
    """

    def make(product: Path) -> None:
        run(
            [
                "mmdebstrap",
                "--mode=root",
                "--arch=arm64",
                "--variant=minbase",
                "--format=tar",
                *_options(HERE / "initramfs"),
                f"--include={','.join(wanted)}",
                SUITE,
                product,
                "-",
            ],
            env={"SOURCE_DATE_EPOCH": str(EPOCH)},
            stdin=sources,
            log=log,
        )

    # Wherever the repository lies: it may be moved, or cloned anew beside a build that is kept.
    options, hook = _options(Path("initramfs")), digest_of(HERE / "initramfs")
    made_of = (sources, *wanted, *options, hook, str(EPOCH))
    return Stage("debian.tar", f"Debian {SUITE}: {len(wanted)} packages", made_of, make)


def _options(hook: Path) -> list[str]:
    """Return mmdebstrap's, with the folder of what its initramfs is made by."""
    idle = " ".join(f'"$1/usr/local/bin/{name}"' for name in _IDLE)
    return [
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _NOT_WANTED),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=DPkg::Path "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
        # Before the kernel is set up: that makes its initramfs.
        '--essential-hook=mkdir -p "$1/etc/initramfs-tools"',
        f'--essential-hook=cp -r {hook}/. "$1/etc/initramfs-tools/"',
        f"--essential-hook=for name in {idle}; do ln -s /bin/true $name; done",
        f"--customize-hook=rm {idle}",
    ]
