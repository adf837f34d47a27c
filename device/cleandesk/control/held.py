"""How long starts in a row have found that another process has the outbox.

A process that hangs in the kernel, in a camera's driver, keeps it after every signal, so that no
new one ever gets to look: nothing on the machine but a reboot ends that.
"""

import contextlib
import logging
from pathlib import Path

from pydantic import BaseModel, ValidationError

from cleandesk import durable
from cleandesk.clock import Instant
from cleandesk.contract.messages import Id, Seconds

log = logging.getLogger(__name__)

#: What can be killed is gone long before; and no machine is to start more often than that.
REBOOT_AFTER_S = 600.0
#: After such a pause there was a start that got it. What cannot be killed has systemd wait four
#: times for it, `TimeoutStopSec` each, before it starts the next one.
PAUSE_S = 600.0


class _Row(BaseModel):
    """Starts of one power-on that did not get the outbox; moments are powered-on seconds."""

    model_config = durable.READABLE
    boot: Id
    since: Seconds
    last: Seconds


class Held:
    """Remembers it on the disk; where that takes nothing, it is found anew with each start.

    Args:
        outbox: The outbox.
        boot: Id of this power-on.
    """

    def __init__(self, outbox: Path, boot: str) -> None:
        self._path, self._boot = outbox.with_name(f"{outbox.name}.held"), boot

    def for_good(self, now: Instant) -> bool:
        """Take note of a start that did not get it; say whether there have been enough of them."""
        row, since = self._read(), now.mono
        if row is not None and row.boot == self._boot and now.mono - row.last < PAUSE_S:
            since = row.since
        try:
            new = _Row(boot=self._boot, since=since, last=now.mono)
            durable.write(self._path, new.model_dump_json().encode())
        except OSError as error:
            log.warning("since when the outbox is held is not kept", extra={"why": error.strerror})
        return now.mono - since >= REBOOT_AFTER_S

    def _read(self) -> _Row | None:
        with contextlib.suppress(durable.DamagedError, ValidationError):
            content = durable.read(self._path)
            return None if content is None else _Row.model_validate_json(content)
        return None
