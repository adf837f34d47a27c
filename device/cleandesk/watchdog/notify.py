"""Words to the service manager, as sd_notify(3) has them: a datagram to the socket it names.

The packages for it on PyPI are either without a release since years or bindings to a C library; the
protocol is stable ("Interface Portability and Stability", systemd.io) and takes these lines.
"""

import contextlib
import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

_PER_S = 1_000_000


class Manager:
    """The service manager that started this process; does nothing where there is none.

    Args:
        environ: The process's environment.
        pid: This process: a watchdog that is another one's is not ours to feed.

    Attributes:
        watchdog_s: We are ended after so many seconds without `WATCHDOG=1`; None: nobody watches.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, *, pid: int | None = None) -> None:
        self._path = environ.get("NOTIFY_SOCKET", "")
        self.watchdog_s: float | None = None
        theirs = environ.get("WATCHDOG_PID", "")
        if self._path and theirs in ("", str(os.getpid() if pid is None else pid)):
            with contextlib.suppress(ValueError):
                self.watchdog_s = int(environ.get("WATCHDOG_USEC", "")) / _PER_S

    def tell(self, *assignments: str) -> None:
        """Send assignments such as `READY=1`; a manager that does not take them is only logged."""
        if not self._path:
            return
        # '@' stands for the NUL of Linux's abstract names.
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto("\n".join(assignments).encode(), socket.MSG_DONTWAIT, address)
        except OSError as error:
            log.warning("the service manager cannot be told", extra={"why": str(error)})
