"""Tries what a unit's sandbox should deny, from within, and prints what could be done, as JSON."""

import ctypes
import json
import os
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER = 0x10000000
PROT_ALL, MAP_PRIVATE_ANONYMOUS = 7, 0x22


def _checked(done: int) -> None:
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _write(path: str) -> None:
    Path(path).unlink(missing_ok=True)
    Path(path).write_text("probe", encoding="ascii")


def _run(path: str) -> None:
    Path(path).write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
    Path(path).chmod(0o700)
    if os.spawnv(os.P_WAIT, path, [path]) != 0:  # noqa: S606 - that is the question
        raise PermissionError(path)


def _map_writable_code() -> None:
    LIBC.mmap.restype = ctypes.c_void_p
    if LIBC.mmap(None, 4096, PROT_ALL, MAP_PRIVATE_ANONYMOUS, -1, 0) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")


def _open(path: str) -> None:
    os.close(os.open(path, os.O_RDWR))


def attempts(state: str) -> dict[str, Callable[[], object]]:
    """Return what is tried, by name.

    Args:
        state: A folder that the unit may write to.
    """
    return {
        "write its own folder": lambda: _write(f"{state}/probe"),
        "run what it wrote": lambda: _run(f"{state}/program"),
        "run what it wrote to /tmp": lambda: _run("/tmp/program"),  # noqa: S108 - its own one
        "read the card": lambda: Path("/boot/firmware/cleandesk/claim.json").read_bytes(),
        "write /usr": lambda: _write("/usr/probe"),
        "write /opt/cleandesk": lambda: _write("/opt/cleandesk/probe"),
        "write /etc": lambda: _write("/etc/probe"),
        "write the settings": lambda: _write("/etc/cleandesk/probe"),
        "run what it wrote to /dev/shm": lambda: _run("/dev/shm/program"),  # noqa: S108
        "write another's folder": lambda: _write("/var/lib/other/probe"),
        "write /home": lambda: _write("/home/probe"),
        "open the microphone": lambda: _open("/dev/snd/pcmC0D0c"),
        "open the disk": lambda: _open("/dev/vda"),
        "open /dev/mem": lambda: _open("/dev/mem"),
        "read the page's label": lambda: Path("/etc/cleandesk/page-label").read_bytes(),
        "read the box's key": lambda: Path("/etc/cleandesk/identity/box.pem").read_bytes(),
        "read the worker's page": lambda: Path("/var/lib/cleandesk-page/page.db").read_bytes(),
        "read the outbox": lambda: Path("/var/lib/cleandesk/outbox.db").read_bytes(),
        "see other processes": lambda: Path("/proc/1/status").read_bytes(),
        "speak to the network": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
        "make a raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "make a Bluetooth socket": lambda: socket.socket(31, socket.SOCK_RAW),
        "mount": lambda: _checked(LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
        "set the clock": lambda: _checked(LIBC.settimeofday(bytes(16), None)),
        "reboot": lambda: _checked(LIBC.reboot(0)),
        "be traced": lambda: _checked(LIBC.ptrace(0, 0, None, None)),
        "load a module": lambda: _checked(LIBC.syscall(175, None, 0, b"")),
        "write code into memory": _map_writable_code,
        "become root": lambda: os.setuid(0),
        "make a namespace": lambda: _checked(LIBC.unshare(CLONE_NEWUSER)),
    }


def main(state: str) -> None:
    done = []
    for name, attempt in attempts(state).items():
        try:
            attempt()
        except (OSError, ValueError):
            continue
        done.append(name)
    facts = {
        "done": done,
        "groups": sorted(os.getgroups()),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
        "uid": os.getuid(),
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
