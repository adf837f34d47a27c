"""Whether the camera worked when it was last used in this power-on, through breaks and restarts.

A break hides that from whoever asks in it, and a process that begins in one has seen nothing.
"""

import logging
from pathlib import Path

from cleandesk import durable
from cleandesk.watchdog.stages import Sensing

log = logging.getLogger(__name__)


class Worked:
    """Remembers it on the disk, beside the outbox; a disk that takes nothing is only logged.

    Args:
        outbox: The outbox.
        boot: Id of this power-on.
    """

    def __init__(self, outbox: Path, boot: str) -> None:
        self._path, self._boot = outbox.with_name(f"{outbox.name}.camera"), boot
        self._did = self._read()

    @property
    def did(self) -> bool:
        """Whether it worked."""
        return self._did

    def follow(self, sensing: Sensing) -> None:
        """Take note of a camera that may be used; one that has not begun yet says nothing."""
        did = False if sensing.fault else self._did or sensing.seen
        if did == self._did:
            return
        self._did = did
        try:
            if did:
                durable.write(self._path, self._boot.encode())
            else:
                durable.forget(self._path)
        except OSError as error:
            log.warning("that the camera worked is not kept", extra={"why": error.strerror})

    def _read(self) -> bool:
        try:
            return durable.read(self._path) == self._boot.encode()
        except durable.DamagedError as error:
            log.warning("nobody can tell whether the camera worked: %s", error)
            return False
