"""The root file system, booted by systemd-nspawn: systemd as process 1, units for real."""

import itertools
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.eventually import eventually
from tests.image.rootfs import ensure

#: Nothing is left behind by a test that was killed.
_LONGEST_S = 900
#: What systemd-nspawn ends with where a service would start it again.
STARTS_ANEW = 133
_NUMBERS = itertools.count()


class Machine:
    """One boot; what is written in it is gone with it.

    Args:
        home: A test's folder, for what the console says.
        options: More of `systemd-nspawn`.
        network: It shares this machine's; default: it has none.
    """

    def __init__(self, home: Path, *options: str, network: bool = False) -> None:
        self._console = home / "console.log"
        self._options = options if network else ("--private-network", *options)
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._init = 0

    def __enter__(self) -> Self:
        """Boot, up to where systemd takes orders."""
        folder = ensure()
        with self._console.open("wb") as console:
            self._nspawn = subprocess.Popen(
                [
                    *("timeout", "--kill-after=5", str(_LONGEST_S)),
                    *("systemd-nspawn", "--quiet", "--boot", f"--directory={folder}"),
                    *("--volatile=overlay", "--register=no", "--keep-unit", "--console=read-only"),
                    f"--machine=cleandesk-{os.getpid()}-{next(_NUMBERS)}",
                    *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
        try:
            eventually(self._find_init, "the container's first process")
            eventually(self._runs, "systemd's readiness", within_s=60)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the power away."""
        if self._init and self.ended is None:
            os.kill(self._init, signal.SIGKILL)
        if self._nspawn is not None:
            self._nspawn.wait(30)

    @property
    def ended(self) -> int | None:
        """How it ended by itself: 0 it is off, `STARTS_ANEW`; None: it runs."""
        assert self._nspawn is not None
        return self._nspawn.poll()

    def run(
        self, *command: str, check: bool = True, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root; with `check` it must do well."""
        done = subprocess.run(
            ["nsenter", f"--target={self._init}", "--all", *command],
            capture_output=True,
            text=True,
            input=stdin,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def start(self, unit: str) -> None:
        """Start a unit; where that fails, the error has what it said."""
        done = self.run("systemctl", "start", unit, check=False)
        assert done.returncode == 0, self.journal(unit)

    def systemctl(self, *arguments: str) -> str:
        """Return what `systemctl` says."""
        return self.run("systemctl", "--no-pager", *arguments).stdout.strip()

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Return properties of a unit."""
        lines = self.systemctl("show", unit, f"--property={','.join(properties)}").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def journal(self, unit: str) -> str:
        """Return what a unit logged, and what systemd says of it."""
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}").stdout

    def write(self, path: str, content: str, *, owner: str = "root", mode: str = "644") -> None:
        """Write a file, in folders that are made."""
        self.run(
            "install", "-D", f"--owner={owner}", f"--mode={mode}", "/dev/stdin", path, stdin=content
        )

    def path(self, path: str) -> Path:
        """Return where a file of the machine's is for those outside."""
        return Path(f"/proc/{self._init}/root{path}")

    def drop_in(self, unit: str, *lines: str, name: str = "90-test") -> None:
        """Change a unit for this boot; the same name again takes the place of what it was."""
        self.write(f"/run/systemd/system/{unit}.d/{name}.conf", "\n".join((*lines, "")))
        self.systemctl("daemon-reload")

    def _find_init(self) -> bool:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, self._console.read_text(errors="replace")
        pids = [self._nspawn.pid]
        while pids:
            pid = pids.pop()
            if _innermost_pid(pid) == 1:
                self._init = pid
                return True
            pids += _children(pid)
        return False

    def _runs(self) -> bool:
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")


def as_fat_is_mounted(machine: Machine) -> None:
    """Give the boot partition to one user and one group, as the image's fstab does."""
    machine.run("chown", "-R", "cleandesk:cleandesk-update", "/boot/firmware")
    machine.run("chmod", "-R", "u=rwX,g=rwX,o=", "/boot/firmware")


def _children(pid: int) -> Sequence[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return ()
    return [int(word) for word in text.split()]


def _innermost_pid(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    ids = next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])
    return int(ids[-1]) if len(ids) > 1 else None
