"""One of several subscribers of a log in PostgreSQL, by a clock that moves only by hand."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from cleandesk.contract.messages import AckStatus
from cleandesk_fleet.subscriber.database import Place, open_writer
from cleandesk_fleet.subscriber.intake import Reading
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.transaction import Terms
from cleandesk_fleet.subscriber.unlogged import KEPT_S
from tests.unit.subscriber.make import HandClock

GAP_AFTER_S = 60.0


class Side:
    """One subscriber's log."""

    def __init__(
        self,
        place: Place,
        clock: HandClock,
        seen_within_s: float = 0,
        sites: Sequence[str] | None = None,
        unlogged_s: float = KEPT_S,
    ) -> None:
        self._clock = clock
        self.engine: Engine = open_writer(place, redundant=True)
        album = Album(Pictures(Path("no-stills")), timedelta(hours=72))
        terms = Terms(
            album,
            50,
            gap_after=timedelta(seconds=GAP_AFTER_S),
            seen_within=timedelta(seconds=seen_within_s),
        )
        log = Log(self.engine, silent_after_s=180, terms=terms, sites=sites, unlogged_s=unlogged_s)
        self.log = log.begin(clock())
        self.log.watch.resume(clock().mono)

    def take(self, *readings: Reading) -> list[AckStatus | None]:
        answers = self.log.commit(readings, self._clock())
        return [answer[1].result if answer else None for answer in answers]

    def look(self, *, hears: bool = True) -> bool:
        begins = self.log.lead(self._clock(), hears=hears)
        self.log.look_around(self._clock())
        return begins

    def vanish(self) -> None:
        """End as a killed process does: the server sees the connection go."""
        self.log.reopen()
