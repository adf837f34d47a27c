"""A box's clock, set by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cleandesk.clock import Instant


@dataclass
class BoxClock:
    """Tells a time, or the real one, and whether that was set by the network."""

    utc: datetime | None = None
    synced: bool = True

    def now(self) -> Instant:
        return Instant(0.0, self.utc or datetime.now(UTC), self.synced)
