"""A real mosquitto for tests: our own process, on a free port of the loopback address."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest

from broker import free_port

__all__ = ["PROGRAM", "Mosquitto", "free_port", "needs_mosquitto"]

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

needs_mosquitto = pytest.mark.skipif(
    PROGRAM is None, reason="mosquitto is not installed: `make test` installs it"
)


class Mosquitto:
    """One broker with its own configuration, log and store under a test's folder.

    It may be killed and started again: it keeps its port, and what it had saved.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        options: Sequence[str] = (),
        logs: Sequence[str] = ("all",),
    ) -> None:
        self.port = free_port() if port is None else port
        self._home = folder / f"mosquitto-{self.port}"
        self._home.mkdir(mode=0o700)
        self._config = self._home / "mosquitto.conf"
        self._options = [*(f"log_type {what}" for what in logs), *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, and return once it accepts connections."""
        if PROGRAM is None:
            pytest.skip("mosquitto is not installed: `make test` installs it")
        lines = [
            "persistence true",
            f"persistence_location {self._home}/",
            f"log_dest file {self.log}",
            "set_tcp_nodelay true",
            # Started by root it would become a user who cannot enter the test's folder.
            *(["user root"] if os.geteuid() == 0 else []),
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            *self._options,
        ]
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process = subprocess.Popen([PROGRAM, "-c", str(self._config)])
        self._wait_until_it_listens(self._process)
        return self

    @property
    def pid(self) -> int:
        """Its process's id."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    @property
    def log(self) -> Path:
        """Where it writes its log."""
        return self._home / "mosquitto.log"

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up:
            if process.poll() is not None:
                raise RuntimeError(f"mosquitto ended with {process.returncode}; see {self.log}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"mosquitto does not listen on port {self.port}; see {self.log}")

    def stop(self) -> None:
        """End it in order (SIGTERM): it saves its store."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL): what it had not saved is gone."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """End it in order and start it again."""
        self.stop()
        return self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(timeout=20)
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
