"""How often an update's installation was begun and never came to an end.

A power cut is no fault of the update, so what was cut off is begun anew. But where writing the slot
is what takes the machine down, that would go on for ever, and nobody could stop it from afar.
"""

import logging
from pathlib import Path

from cleandesk import durable
from cleandesk.contract.bundle import UpdateError

log = logging.getLogger(__name__)

MOST = 3
_NAME = "tries"


class Tries:
    """Counts them, on the disk; of the last bundle only.

    Args:
        folder: The updater's own.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def begin(self, version: str) -> None:
        """Count one more.

        Raises:
            UpdateError: If all before were cut off, and they were enough.
            OSError: The disk does not take it.
        """
        before = self._of(version)
        if before >= MOST:
            raise UpdateError(
                f"the machine went down {before} times while it was installed: look at its supply "
                "and its card, then send it again"
            )
        durable.write(self._path, f"{version} {before + 1}".encode())

    def end(self) -> None:
        """Forget them: it came to an end, whichever."""
        try:
            durable.forget(self._path)
        except OSError as error:
            log.warning("cut-off installations stay on file", extra={"why": error.strerror})

    def _of(self, version: str) -> int:
        try:
            content = durable.read(self._path) or b""
        except durable.DamagedError as error:
            log.warning("nobody can tell how often it was begun: %s", error)
            return 0
        name, _, count = content.decode().partition(" ")
        return int(count) if name == version else 0
