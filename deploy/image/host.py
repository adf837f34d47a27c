"""The machine that builds: its programs, its emulation of arm64, and its Debian mirrors."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from image.errors import ImageError

#: Programs, and Debian's packages that bring them.
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "qemu-aarch64-static": "qemu-user-static",
    "arch-test": "arch-test",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "sfdisk": "fdisk",
    "mkimage": "u-boot-tools",
}
#: Who signs for Debian's packages; Debian itself has it.
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
#: As the kernel's documentation has it: the first bytes of a 64-bit ARM program; F: opened at once,
#: so that it works in any root; P and O: the program's own name and open file are handed on.
_MAGIC = (
    r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:"
)


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    log: Path | None = None,
) -> str:
    """Run a program to its end; returns what it printed.

    Args:
        command: Program and arguments.
        env: Added to the environment.
        stdin: What it reads; by default nothing.
        log: Gets both its outputs, instead of the caller.

    Raises:
        ImageError: If it fails; with its last words.
    """
    words = [os.fspath(word) for word in command]
    with (log or Path(os.devnull)).open("ab") as file:
        done = subprocess.run(
            words,
            check=False,
            close_fds=False,  # the build's lock goes with it; all else is not inherited
            env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", **(env or {})},
            input=(stdin or "").encode(),
            stdout=file if log else subprocess.PIPE,
            stderr=file if log else subprocess.PIPE,
        )
    if done.returncode:
        said = log.read_bytes() if log else (done.stderr or done.stdout)
        last = said.decode(errors="replace").strip().splitlines()[-15:]
        where = f"; all it said: {log}" if log else ""
        raise ImageError(f"{words[0]} ended with {done.returncode}{where}\n" + "\n".join(last))
    return "" if log else done.stdout.decode()


def prepare() -> None:
    """Make sure that this machine can build.

    Raises:
        ImageError: If it cannot, with what to do.
    """
    if os.geteuid() != 0:
        raise ImageError("building owns files as root: run it as root ('sudo make image')")
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    if missing := missing_packages():
        raise ImageError(f"packages are missing: 'apt install {' '.join(missing)}', then try again")
    _emulate()


def missing_packages() -> list[str]:
    """Return the packages that building needs, and that are not there."""
    missing = {deb for name, deb in PROGRAMS.items() if shutil.which(name) is None}
    if not KEYS.exists():
        missing.add("debian-archive-keyring")
    return sorted(missing)


def _emulate() -> None:
    """Have the kernel start arm64 programs by QEMU."""
    if os.uname().machine == "aarch64":
        return
    if not (_BINFMT / "register").exists():
        run(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT])
    if not any(_BINFMT.glob("qemu-aarch64*")):
        program = shutil.which("qemu-aarch64-static")
        (_BINFMT / "register").write_text(f"{_MAGIC}{program}:OF", encoding="ascii")


def debian_sources(suite: str, components: str) -> str:
    """Return sources of a Debian suite with its updates and security fixes, for apt.

    They come from the mirrors that this machine's own apt uses.

    Raises:
        ImageError: If it uses none, as on a machine that is no Debian.
    """
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    lines = sorted(set(run(["apt-get", "indextargets", "--format", form]).splitlines()))
    mirrors = dict(line.split("|")[1:] for line in lines if line.startswith("Debian|"))
    if "Debian" not in mirrors:
        raise ImageError(
            "this machine's apt uses no mirror of Debian: write source lines into a file, each as "
            f"'deb [signed-by={KEYS}] MIRROR {suite} {components}', also of {suite}-updates and "
            f"{suite}-security, then 'make image SOURCES=FILE'"
        )
    pockets = {"Debian": (suite, f"{suite}-updates"), "Debian-Security": (f"{suite}-security",)}
    return "".join(
        f"deb {mirrors[label]} {pocket} {components}\n"
        for label, names in pockets.items()
        if label in mirrors
        for pocket in names
    )
