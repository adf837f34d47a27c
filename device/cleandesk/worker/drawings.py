"""Live drawing for the worker's page: what each look saw, without the picture."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from cleandesk.clock import Instant
from cleandesk.detector import Detections
from cleandesk.settings import Zone
from cleandesk.worker.protocol import Box, Drawing
from cleandesk.worker.sight import Sight

#: No more drawings a second than that, however often the box looks.
MOST_PER_S = 5.0
_MOST_BOXES = 100


@dataclass(frozen=True, slots=True)
class _Look:
    number: int
    at: Instant
    found: Detections


class Drawings:
    """Hands the newest look to those who watch; nothing is made of it while nobody does.

    Args:
        sight: What is believed.
        area: What is not blanked.
        zones: By name.
    """

    def __init__(self, sight: Sight, area: Zone | None, zones: Mapping[str, Zone]) -> None:
        self._sight = sight
        self._area = area.polygon if area else None
        self.rearrange(zones)
        self._changed = threading.Condition()
        self._newest: _Look | None = None
        self._number = 0
        self._shown = float("-inf")

    def rearrange(self, zones: Mapping[str, Zone]) -> None:
        """Draw these zones from now on."""
        self._zones = {name: zone.polygon for name, zone in zones.items()}

    def put(self, found: Detections, at: Instant) -> None:
        """Take a look, in the loop's thread; it is drawn by the one who watches."""
        if 0 <= at.mono - self._shown < 1 / MOST_PER_S:
            return
        self._shown = at.mono
        with self._changed:
            self._number += 1
            self._newest = _Look(self._number, at, found)
            self._changed.notify_all()

    def after(self, number: int, timeout_s: float) -> tuple[int, Drawing] | None:
        """Return a newer drawing than this number, and its own; None if none comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number, timeout_s)
            newest = self._newest
        if newest is None or newest.number <= number:
            return None
        return newest.number, self._draw(newest)

    @property
    def newest(self) -> int:
        """Number of the newest look."""
        return self._number

    def _draw(self, look: _Look) -> Drawing:
        width, height = look.found.size
        boxes = [
            Box(class_name=name, score=score, place=place, believed=believed)
            for name, score, place, believed in self._sight.all(look.found)[:_MOST_BOXES]
        ]
        return Drawing(
            at=look.at.utc,
            aspect=width / height,
            area=self._area,
            zones=self._zones,
            boxes=boxes,
        )
