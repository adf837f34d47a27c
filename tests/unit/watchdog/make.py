"""A service manager's socket, and a clock that is set by hand."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from cleandesk.watchdog.notify import Manager


class Hand:
    """Tells the time that it is set to."""

    def __init__(self) -> None:
        self.mono = 0.0

    def __call__(self) -> float:
        return self.mono


class ServiceManager:
    """What systemd is to a service: a datagram socket, and what came on it."""

    def __init__(self, path: Path, watchdog_s: float | None = None) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.environ = {"NOTIFY_SOCKET": str(path)}
        if watchdog_s is not None:
            self.environ["WATCHDOG_USEC"] = str(round(watchdog_s * 1_000_000))

    @property
    def manager(self) -> Manager:
        return Manager(self.environ)

    def heard(self) -> list[str]:
        """Return the assignments that came since the last time."""
        lines: list[str] = []
        while True:
            try:
                lines += self._socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
