"""A worker's breaks: how long they are and how many, and what of that goes beyond. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, Field

from cleandesk import durable
from cleandesk.clock import Instant
from cleandesk.contract.messages import BreakLimit, BreakReason, Count, Id, Privacy, PrivacyState
from cleandesk.settings_worker import BreakSettings


class _Value(BaseModel):
    model_config = durable.READABLE


class Break(_Value):
    """A break that goes on.

    Attributes:
        since: When it began, for people; corrected once the clock is trusted.
        synced: Whether the clock was trusted then.
        boot: The power-on that `mono` counts in.
        mono: When it began, powered-on seconds.
        number: Its place among the day's breaks; None where the day was not known.
    """

    reason: BreakReason
    since: AwareDatetime
    synced: bool
    boot: Id
    mono: float = Field(allow_inf_nan=False)
    number: Count | None

    def length_s(self, boot: str, now: Instant) -> float:
        """Return how long it has lasted, seconds; rather too little than too much.

        Over a power-on, only a wall clock that was trusted at both ends can tell; else no more is
        sure than the time since the power-on.
        """
        if boot == self.boot:
            return max(0.0, now.mono - self.mono)
        if self.synced and now.synced:
            return max(now.mono, (now.utc - self.since).total_seconds())
        return now.mono

    def dated(self, boot: str, now: Instant) -> Self:
        """Return it with its beginning on a wall clock that is trusted by now."""
        if self.synced or not now.synced or boot != self.boot:
            return self
        since = now.utc - timedelta(seconds=now.mono - self.mono)
        return self.model_copy(update={"since": since, "synced": True})


class Kept(_Value):
    """What of the worker's side outlives the process.

    Attributes:
        present: The break that goes on; None: no break.
        day: The day that `count` is of, where the site is.
        count: Breaks that began on it.
        pin_resets: How often the button has reset the page's PIN.
    """

    version: Literal[1] = 1
    present: Break | None = None
    day: date | None = None
    count: Count = 0
    pin_resets: Count = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """How breaks are counted here.

    Attributes:
        limits: The site's.
        boot: Id of this power-on.
    """

    limits: BreakSettings
    boot: str

    def begun(self, kept: Kept, reason: BreakReason, now: Instant) -> tuple[Kept, Break]:
        """Return what is so once a break has begun; one that goes on just goes on."""
        if kept.present is not None:
            return kept, kept.present
        today = self._day(now.utc)
        count = self.today(kept, now) + 1
        present = Break(
            reason=reason,
            since=now.utc,
            synced=now.synced,
            boot=self.boot,
            mono=now.mono,
            number=count if now.synced else None,
        )
        update = {"present": present, "day": today, "count": count}
        return kept.model_copy(update=update), present

    def today(self, kept: Kept, now: Instant) -> int:
        """Return how many breaks began since midnight."""
        return kept.count if kept.day == self._day(now.utc) else 0

    def privacy(self, present: Break, now: Instant) -> Privacy:
        """Return what to publish of a break."""
        longest = self.limits.length_s
        return Privacy(
            state=PrivacyState.BREAK,
            reason=present.reason.value,
            since=present.since,
            until=self._until(present, now),
            beyond=[
                limit
                for limit, over in (
                    (
                        BreakLimit.LENGTH,
                        longest is not None and present.length_s(self.boot, now) > longest,
                    ),
                    (BreakLimit.COUNT, self._too_many(present)),
                )
                if over
            ]
            or None,
        )

    def _until(self, present: Break, now: Instant) -> datetime | None:
        """Return when it reaches the site's length; None where nobody can tell."""
        if self.limits.length_s is None:
            return None
        known = present.boot == self.boot or (present.synced and now.synced)
        return present.since + timedelta(seconds=self.limits.length_s) if known else None

    def _too_many(self, present: Break) -> bool:
        most = self.limits.count_per_day
        return most is not None and present.number is not None and present.number > most

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.limits.timezone)).date()
