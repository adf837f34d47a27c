"""The root file system: Debian's packages, Python's, our files and units."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from image import initramfs, python, silence, updates
from image.debian import EPOCH, HERE
from image.errors import ImageError
from image.host import run
from image.release import Release
from image.stages import Stage, digest_of, remove
from image.tools import Tools

#: Everything below deploy/systemd/ by the ends of names; folders there keep theirs.
_UNITS = (".service", ".timer", ".socket", ".path", ".target", ".mount", ".slice")
_UNIT_FOLDER = Path("usr/lib/systemd/system")
#: What apt and dpkg need to install more, and what set-up left: a root is replaced, never changed.
_NOT_NEEDED = (
    "etc/apt", "etc/initramfs-tools", "etc/machine-id", "etc/resolv.conf", "etc/.pwd.lock",
    "etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-", "etc/ssl/private",
    "var/cache", "var/log", "var/lib/apt", "var/lib/systemd", "var/lib/initramfs-tools",
    "var/lib/dbus/machine-id", "boot/firmware", "boot/grub", "root/.bashrc",
    "usr/share/initramfs-tools", "etc/systemd/system/getty.target.wants",
)  # fmt: skip
#: What else our wheel is built of.
_WHEEL = ("pyproject.toml", "README.md", "LICENSE")
_FOLDERS = (
    "boot/firmware", "data", "etc/cleandesk", "var/cache", "var/log", "var/lib/cleandesk",
    "var/lib/cleandesk-page", "var/lib/cleandesk-update", "var/lib/rauc", "var/lib/systemd",
    "var/tmp", "tmp",
)  # fmt: skip


def others(build: Path, before: Sequence[Stage]) -> Stage:
    """Return the stage that makes the folder of all that is not ours, compiled, and without sound.

    Args:
        build: With the products of stages.
        before: Those of Debian's packages, of Python's, and of the tools.
    """
    debian, wheels, tools = before

    def make(product: Path) -> None:
        product.mkdir(mode=0o755)
        archive = build / debian.name
        run(["tar", "--extract", "--numeric-owner", "--file", archive, "-C", product])
        python.install_others(product, build / wheels.name, Tools(build))
        silence.remove_sound(product, Tools(build))
        initramfs.check(product)
        clamp(product, EPOCH)

    ours = [digest_of(HERE / f"{name}.py") for name in ("python", "silence", "initramfs")]
    return Stage("others", "all that is not ours", (debian.key, wheels.key, tools.key, *ours), make)


def stage(
    repository: Path,
    build: Path,
    release: Release,
    before: Stage,
    keyring: Path | None = None,
) -> Stage:
    """Return the stage that makes the folder of the root file system.

    Args:
        repository: With our sources.
        build: With the products of stages.
        release: What is built.
        before: The stage of all that is not ours.
        keyring: Certificates that sign for updates, PEM; None: a box takes none.
    """

    def make(product: Path) -> None:
        run(["cp", "--archive", build / before.name, product])
        python.install_ours(product, repository, release.epoch, Tools(build))
        _our_files(product, repository, release)
        updates.trust(product, release, keyring)
        set_up(product)
        _leave_out(product)
        clamp(product, release.epoch)

    made_of = (
        before.key,
        digest_of(repository / "device", repository / "models" / "desk", HERE),
        digest_of(*(repository / name for name in _WHEEL)),
        digest_of(repository / "deploy" / "systemd", repository / "deploy" / "avahi"),
        repr(release),
        digest_of(keyring) if keyring else "no updates",
    )
    return Stage("root", "the root file system", made_of, make)


def _our_files(root: Path, repository: Path, release: Release) -> None:
    shutil.copytree(HERE / "root", root, dirs_exist_ok=True)
    copy_units(repository / "deploy" / "systemd", root)
    services = root / "etc/avahi/services"
    services.mkdir(parents=True, exist_ok=True)
    shutil.copy(repository / "deploy/avahi/cleandesk-page.service", services)
    program = root / "usr/lib/cleandesk/slots"
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "slots.py", program)
    program.chmod(0o755)
    with (root / "usr/lib/os-release").open("a", encoding="utf-8") as file:
        file.write(f"IMAGE_ID=cleandesk\nIMAGE_VERSION={release.version}\n")
        file.write(f"BUILD_ID={release.commit}\n")
    # Without network time a box takes it for at least as late as this file.
    (root / "usr/lib/clock-epoch").touch()


def copy_units(source: Path, root: Path) -> None:
    """Install every unit of a folder; folders such as `sysusers.d` go to where systemd looks.

    Raises:
        ImageError: If something is there that is neither.
    """
    for path in sorted(source.iterdir()):
        if path.is_dir() and path.name in ("sysusers.d", "tmpfiles.d", "udev"):
            shutil.copytree(path, root / "usr/lib" / path.name, dirs_exist_ok=True)
        elif path.is_dir() and path.name.endswith((".conf.d", "-preset")):
            shutil.copytree(path, root / "usr/lib/systemd" / path.name, dirs_exist_ok=True)
        elif path.is_dir() and path.name.endswith(".d"):
            shutil.copytree(path, root / _UNIT_FOLDER / path.name, dirs_exist_ok=True)
        elif path.suffix in _UNITS:
            shutil.copy(path, root / _UNIT_FOLDER)
        elif path.suffix != ".md":
            raise ImageError(f"{path}: no unit and no folder of settings: where should it go?")


def set_up(root: Path) -> None:
    """Make the users, and decide what starts: by Debian's own systemd."""
    chroot = ("chroot", root)
    run([*chroot, "systemd-sysusers"])
    for unit in ("getty@.service", "serial-getty@.service", "console-getty.service"):
        _mask(root, unit)
    for unit in ("debug-shell.service", "apt-daily.timer", "apt-daily-upgrade.timer"):
        _mask(root, unit)
    run([*chroot, "systemctl", "preset-all", "--preset-mode=full"])


def _mask(root: Path, unit: str) -> None:
    link = root / "etc/systemd/system" / unit
    link.unlink(missing_ok=True)
    link.symlink_to("/dev/null")


def _leave_out(root: Path) -> None:
    for name in _NOT_NEEDED:
        remove(root / name)
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    # Empty: each start has its own, and no two boxes share one.
    (root / "etc/machine-id").touch()
    (root / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")
    for name, found in (("vmlinuz", "vmlinuz-*"), ("initrd.img", "initrd.img-*")):
        one = _only(root / "boot", found)
        (root / name).unlink(missing_ok=True)
        (root / f"{name}.old").unlink(missing_ok=True)
        one.rename(root / "boot" / name)


def _only(folder: Path, pattern: str) -> Path:
    found = [path for path in folder.glob(pattern) if not path.is_symlink()]
    if len(found) != 1:
        raise ImageError(f"{folder}/{pattern}: {len(found)} files, one was expected")
    return found[0]


def clamp(root: Path, epoch: int) -> None:
    """Give nothing a later time than this.

    When it was last read is the same for all: mke2fs takes a later time, such as that of its own
    reading, for this one.
    """
    for path in (root, *root.rglob("*")):
        changed = min(path.lstat().st_mtime_ns // 10**9, epoch)
        os.utime(path, (epoch, changed), follow_symlinks=False)
