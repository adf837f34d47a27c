"""A Debian trixie of this machine's processor with our wheel and units, below `build/`, kept.

`python -m tests.image.rootfs` makes it, or brings it up to date. It needs root, mmdebstrap, and
Debian's and PyPI's packages once.
"""

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
ROOTFS = BUILD / "rootfs"
#: A bundle that needs no device mapper is unpacked to be looked at.
RAUC = ("rauc", "rauc-service", "squashfs-tools")
#: The second one has a camera of its own, by software.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv", "strace", *RAUC)
CAMERA_PACKAGES = (
    *("libarchive13t64", "libcamera-ipa", "python3-jsonschema", "python3-libcamera"),
    "python3-prctl",
)
LOCKS = tuple(ROOT / "deploy" / "locks" / f"{name}.txt" for name in ("box", "picamera2"))
UNITS = ROOT / "deploy" / "systemd"
_HOME = "opt/cleandesk"
_NO_DOCUMENTS = ("man", "doc", "locale", "info")


def _run(command: Sequence[object], **more: object) -> None:
    subprocess.run([str(part) for part in command], check=True, **more)  # type: ignore[call-overload]


def _once(name: str, made_of: str, make: Callable[[], None]) -> None:
    """Do a step unless it was done with the same ingredients."""
    mark = BUILD / f"rootfs.{name}"
    digest = hashlib.sha256(made_of.encode()).hexdigest()
    if ROOTFS.exists() and mark.exists() and mark.read_text(encoding="ascii") == digest:
        return
    mark.unlink(missing_ok=True)
    make()
    mark.write_text(digest, encoding="ascii")


def debian(folder: Path, packages: Sequence[str]) -> None:
    """Make a small Debian trixie of this machine's processor, with more packages."""
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _NO_DOCUMENTS]
    _run(
        [
            *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory"),
            '--aptopt=APT::Install-Recommends "false"',
            '--aptopt=Acquire::Languages "none"',
            *left_out,
            f"--include={','.join(packages)}",
            *("trixie", folder),
        ]
    )


def _debian() -> None:
    shutil.rmtree(ROOTFS, ignore_errors=True)
    for mark in BUILD.glob("rootfs.*"):
        mark.unlink()
    debian(ROOTFS, (*PACKAGES, *CAMERA_PACKAGES))


def _python() -> None:
    """Install everybody else's packages, as they are locked, into the box's own environment."""
    wheels = BUILD / "wheels"
    shutil.rmtree(ROOTFS / _HOME, ignore_errors=True)
    shutil.rmtree(wheels, ignore_errors=True)
    for lock in LOCKS:
        _run(
            [
                *(
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--require-hashes",
                    "--no-deps",
                ),
                *("--only-binary=:all:", "--implementation=cp", "--python-version=3.13"),
                *(f"--platform=manylinux_2_{minor}_{platform.machine()}" for minor in (34, 28, 17)),
                *("--requirement", lock, "--dest", wheels),
            ]
        )
    inside = ROOTFS / "wheels"
    shutil.rmtree(inside, ignore_errors=True)
    shutil.copytree(wheels, inside)
    _chroot("python3", "-m", "venv", "--system-site-packages", f"/{_HOME}")
    _chroot(*_pip("--no-deps"), *(f"/wheels/{path.name}" for path in sorted(inside.iterdir())))
    shutil.rmtree(inside)


def _ours() -> None:
    """Install our wheel and our units as the image has them."""
    with tempfile.TemporaryDirectory() as folder:
        _run(
            [
                *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
                *("--no-build-isolation", "--wheel-dir", folder, ROOT),
            ]
        )
        wheel = next(Path(folder).glob("cleandesk-*.whl"))
        shutil.copy(wheel, ROOTFS)
    _chroot(*_pip("--no-deps", "--force-reinstall"), f"/{wheel.name}")
    (ROOTFS / wheel.name).unlink()
    _install_units()
    _chroot("systemd-sysusers")
    for folder in ("data", "boot/firmware"):
        (ROOTFS / folder).mkdir(parents=True, exist_ok=True)


def _install_units() -> None:
    """Copy the units to where the table in `deploy/systemd/README.md` says."""
    systemd = ROOTFS / "usr/lib/systemd"
    for old in (systemd / "system").glob("cleandesk*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path in UNITS.iterdir():
        if path.is_file() and path.suffix != ".md":
            shutil.copy(path, systemd / "system")
        elif path.name in ("sysusers.d", "tmpfiles.d", "udev"):
            shutil.copytree(path, ROOTFS / "usr/lib" / path.name, dirs_exist_ok=True)
        elif path.name.endswith(".conf.d"):
            shutil.copytree(path, systemd / path.name, dirs_exist_ok=True)
        elif path.is_dir():
            shutil.rmtree(systemd / "system" / path.name, ignore_errors=True)
            shutil.copytree(path, systemd / "system" / path.name)


def _pip(*options: str) -> tuple[str, ...]:
    return (f"/{_HOME}/bin/python", "-m", "pip", "install", "--quiet", "--no-index", *options)


def _chroot(*command: str) -> None:
    _run(["chroot", ROOTFS, *command])


def ensure() -> Path:
    """Make the root file system, or what of it is out of date; returns its folder."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "rootfs-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two runs of tests one waits for the other
        _once("debian", " ".join((*PACKAGES, *CAMERA_PACKAGES)), _debian)
        _once("python", "".join(one.read_text(encoding="utf-8") for one in LOCKS), _python)
        _once("ours", _sources(), _ours)
    return ROOTFS


def _sources() -> str:
    folders = (
        ROOT / "device",
        ROOT / "deploy" / "cleandesk_fleet",
        ROOT / "models" / "desk",
        UNITS,
    )
    files = sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    )
    digests = (hashlib.sha256(path.read_bytes()).hexdigest() + str(path) for path in files)
    return "\n".join(digests)


if __name__ == "__main__":
    ensure()
