"""Whether anybody is at the desk: absent once nobody was seen there for long enough. Pure.

Any person counts, by a low score: a wrong sighting only delays what might be held against the
worker. Only time that was looked at counts, and each return begins it anew, so that the state
cannot change back and forth faster than that time.
"""

from cleandesk.clock import Instant
from cleandesk.detector import Detections
from cleandesk.policy.observation import PERSON, PERSON_SCORE
from cleandesk.policy.zones import ZoneMap
from cleandesk.settings import Zone

#: So much of a person's box lies in the zone: less than any rule asks for.
IN_ZONE = 0.1
#: A longer time between two looks was not looked at.
GAP_S = 10.0


class Presence:
    """Follows the looks of one box.

    Args:
        zone: Where the worker sits.
        absent_after_s: Nobody seen there for so long, seconds: absent.
    """

    def __init__(self, zone: Zone, absent_after_s: float) -> None:
        self._map = ZoneMap({"worker": zone})
        self._after_s = absent_after_s
        self._seen: Instant | None = None  # somebody, or the first look of all
        self._looked: Instant | None = None
        self._here = False
        self._absent_since: Instant | None = None

    @property
    def absent_since(self) -> Instant | None:
        """When the worker was last seen before they were absent; None: not absent."""
        return self._absent_since

    def look(self, found: Detections, at: Instant) -> None:
        """Take one look."""
        self._here = self._anybody(found)
        self._step(at)

    def unchanged(self, at: Instant) -> None:
        """Take note of a frame that shows what the last look saw."""
        self._step(at)

    def forget(self) -> None:
        """Begin anew, as after a break or a fault: nothing is known of that time."""
        self._seen = self._looked = self._absent_since = None
        self._here = False

    def _step(self, at: Instant) -> None:
        gap = self._looked is None or at.mono - self._looked.mono > GAP_S
        if self._here:
            self._absent_since = None
        if self._here or self._seen is None or (gap and self._absent_since is None):
            self._seen = at
        self._looked = at
        if self._absent_since is None and at.mono - self._seen.mono >= self._after_s:
            self._absent_since = self._seen

    def _anybody(self, found: Detections) -> bool:
        width, height = found.size
        for name, score, (x1, y1, x2, y2) in found:
            if name == PERSON and score >= PERSON_SCORE:
                place = (
                    max(0.0, x1 / width),
                    max(0.0, y1 / height),
                    min(1.0, x2 / width),
                    min(1.0, y2 / height),
                )
                if self._map.shares(place)[0] >= IN_ZONE:
                    return True
        return False
