"""What breaks, absence, idleness and spot checks mean for the frame loop. In its thread alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleandesk.clock import Instant
from cleandesk.contract.messages import CloseReason
from cleandesk.contract.worker_messages import Idle as IdleMessage
from cleandesk.detector import Detections
from cleandesk.evidence import Taking
from cleandesk.loop import Looker
from cleandesk.policy import Change, Policy
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.break_mode import BreakMode
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.idle import Idle
from cleandesk.worker.presence import Presence
from cleandesk.worker.sight import Sight
from cleandesk.worker.spot_check import SpotChecks

#: A camera that is told to stop comes back from its last call within its time-out and this.
_LETS_GO_S = 5.0


@dataclass(frozen=True, slots=True)
class Onlookers:
    """Who takes what a look saw, and what a break ends.

    Attributes:
        presence: None where absence is not told.
        idle: The idle marker; None where the site does not ask for it.
        say_idle: Sends the marker's beginning or end.
        stills: Takes pictures of violations; None where the site has not turned that on.
    """

    sight: Sight
    spots: SpotChecks
    aiming: Aiming
    drawings: Drawings
    presence: Presence | None
    idle: Idle | None
    say_idle: Callable[[IdleMessage], None]
    stills: Taking | None = None


class Shift:
    """Follows the worker's break from one turn of the loop to the next.

    Attributes:
        mode: Whether there is a break.
        noted: How many breaks of this process it has taken note of.
        resting: The loop has taken note of a break: no frame is looked at.
        stuck: The camera does not let go in a break: only the end of the process stops it.
    """

    def __init__(
        self,
        mode: BreakMode,
        policy: Policy,
        looker: Looker,
        *,
        onlookers: Onlookers,
        timeout_s: float,
    ) -> None:
        self.mode = mode
        self._policy, self._looker, self._to = policy, looker, onlookers
        self._lets_go_s = timeout_s + _LETS_GO_S
        self.noted = mode.begun
        self._told_to_stop: float | None = None
        self._back: Instant | None = None
        self.resting = self.stuck = False

    @property
    def absent_since(self) -> Instant | None:
        """Since when nobody is at the desk; None: somebody is, or nobody can tell."""
        return self._to.presence.absent_since if self._to.presence else None

    @property
    def back(self) -> Instant | None:
        """When the last break ended; its end begins the time of working."""
        return self._back

    def follow(self, at: Instant, now: Instant) -> list[Change]:
        """Take note of breaks that began or ended, and start or stop the sensor.

        Args:
            at: The present moment, or that of the last frame if a recording is ahead of it.
            now: The present moment.

        Returns:
            What a break closed.
        """
        changes: list[Change] = []
        begun, present = self.mode.begun, self.mode.present
        if begun != self.noted or (present is not None and not self.resting):
            self.noted, self.resting, self._back = begun, True, None
            changes += self._policy.close_all(CloseReason.BREAK, at)
            self.forget()
            self._to.spots.break_began(now)
            if self._to.stills:
                self._to.stills.forget()
        if present is None and self.resting:
            self.resting, self._back = False, now
            changes += self._policy.close_all(CloseReason.BREAK, at)
        self._run_sensor(now)
        self._to.aiming.step(now)
        if self.resting:
            self._to.aiming.stop()
        else:
            self._step_spots(at, now)
        self._follow_idle(now)
        return changes

    def _run_sensor(self, now: Instant) -> None:
        if self.mode.run_sensor():
            self._told_to_stop = None
        elif self._told_to_stop is None:
            self._told_to_stop = now.mono
        else:
            self.stuck = now.mono - self._told_to_stop > self._lets_go_s

    def _step_spots(self, at: Instant, now: Instant) -> None:
        """Answer a spot check that is over; what it found violated may have a still."""
        for row in self._to.spots.step(now, self._policy.progress):
            if self._to.stills and row.violation_id:
                self._to.stills.want(row.violation_id, row.class_name, row.place, at)

    def changed(self, changes: Sequence[Change]) -> None:
        """Take what opened, changed or closed, once it is committed."""
        if self._to.stills:
            self._to.stills.follow(changes)

    def look(
        self, found: Detections | None, at: Instant, picture: NDArray[np.uint8] | None = None
    ) -> None:
        """Take what a look saw; None: the same as the one before.

        Args:
            found: What it saw.
            at: When the frame was taken.
            picture: The frame, copied, if a still is wanted.
        """
        if found is None:
            if self._to.presence:
                self._to.presence.unchanged(at)
            return
        if self._to.presence:
            self._to.presence.look(found, at)
        if self._to.spots.running:
            self._to.spots.look(self._to.sight.told(found))
        self._to.drawings.put(found, at)
        if self._to.stills:
            self._to.stills.look(picture, found, at)

    def unwanted(self) -> bool:
        """Say whether a break has begun, so that what a frame shows is forgotten."""
        return self.mode.present is not None

    @property
    def attentive(self) -> bool:
        """Whether no look is left out: somebody asked for looks, or a still waits for a frame."""
        return self._to.spots.running or (self._to.stills is not None and self._to.stills.wanted)

    def forget(self) -> None:
        """Begin anew, as after a fault: nothing is known of that time."""
        self._looker.forget()
        if self._to.presence:
            self._to.presence.forget()

    def _follow_idle(self, now: Instant) -> None:
        if self._to.idle is None:
            return
        since = None if self.resting else self.absent_since
        if self._to.idle.step(since, now):
            self._to.say_idle(
                IdleMessage(
                    idle=self._to.idle.stands,
                    since=since.utc if self._to.idle.stands and since else now.utc,
                    input_age_s=self._to.idle.age_s,
                    at=now.utc,
                    clock_synced=now.synced,
                )
            )
