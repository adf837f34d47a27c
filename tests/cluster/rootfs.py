"""A Debian trixie with RabbitMQ, kept below `build/`; `python -m tests.cluster.rootfs` makes it."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from tests.image.rootfs import BUILD, ROOT, debian

ROOTFS = BUILD / "rabbitmq"
#: Without the system's authorities Erlang asks nobody over HTTP, not even without TLS.
PACKAGES = ("ca-certificates", "rabbitmq-server")
FILES = ROOT / "deploy" / "rabbitmq"
_DONE = ROOTFS / "made"
NAMES = "cleandesk_names"


def ensure() -> Path:
    """Make the root file system unless it is there; returns its folder."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "rabbitmq-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _DONE.exists() or _DONE.read_text(encoding="ascii") != " ".join(PACKAGES):
            shutil.rmtree(ROOTFS, ignore_errors=True)
            debian(ROOTFS, PACKAGES)
            _DONE.write_text(" ".join(PACKAGES), encoding="ascii")
    return ROOTFS


def compile_names(folder: Path) -> None:
    """Compile our Erlang module into a folder of the root, as its README says."""
    shutil.copy(FILES / f"{NAMES}.erl", folder)
    inside = f"/{folder.relative_to(ROOTFS)}"
    command = ["chroot", str(ROOTFS), "erlc", "-Werror", "-o", inside, f"{inside}/{NAMES}.erl"]
    subprocess.run(command, check=True, env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": "/root"})


if __name__ == "__main__":
    ensure()
