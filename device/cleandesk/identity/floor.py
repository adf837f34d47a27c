"""The clock's floor: without network time it is at least as late as what is known to be past.

The machine's clock is never set from here. systemd-timesyncd and PID 1 have floors of their own for
that; this one is for whether a certificate holds. A clock that was set from the network counts as
it is, also where it is earlier than the floor: a wrong floor heals by that.
"""

from datetime import UTC, datetime
from pathlib import Path

import cleandesk
from cleandesk.clock import Clock
from cleandesk.contract import tls_clock
from cleandesk.identity import files


class Floor:
    """Tells the time to hold certificates against.

    Args:
        path: Keeps the last known time; `broker.tls.clock` of the settings names it, too.
        clock: The machine's.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock

    def now(self, *past: datetime) -> datetime:
        """Return the time, which is no earlier than any of some moments that are surely past."""
        instant = self._clock.now()
        if instant.synced:
            return instant.utc
        return max([instant.utc, _installed(), *past, *self._kept()])

    def behind(self, now: datetime) -> bool:
        """Say whether the machine's clock is behind that time."""
        return self._clock.now().utc < now

    def keep(self, *past: datetime) -> None:
        """Keep the time for after the next power cut.

        Raises:
            IdentityError: If the disk does not take it.
        """
        moment = self.now(*past).astimezone(UTC)
        files.write(self._path, f"{moment.isoformat(timespec='seconds')}\n".encode())

    def _kept(self) -> list[datetime]:
        kept = tls_clock.read(self._path)
        return [] if kept is None else [kept]


def _installed() -> datetime:
    """Return when the software came here."""
    return datetime.fromtimestamp(Path(cleandesk.__file__).stat().st_mtime, UTC)
