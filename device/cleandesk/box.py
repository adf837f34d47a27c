"""The frame loop: wires camera, detector, policy, outbox and link, and owns their threads."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from cleandesk import report, vitals
from cleandesk.assembly import assemble, rearrange
from cleandesk.camera import CameraFactory, CaptureState, is_live
from cleandesk.clock import Clock, Instant, SystemClock, boot_id
from cleandesk.contract.messages import CameraFault, CloseReason, Privacy
from cleandesk.control import Effect, Starts
from cleandesk.detector import Detections
from cleandesk.link import closing
from cleandesk.loop import Ready
from cleandesk.policy import Change, PolicyState, Progress
from cleandesk.settings import BoxSettings
from cleandesk.watchdog import Feeder, Teller, Worked

log = logging.getLogger(__name__)

EXIT_OK, EXIT_FAILED, EXIT_RESTART_ME = 0, 1, 75
#: While something is open, the state is saved this often, so that a restart knows how long the box
#: was away: rarely enough to spare an SD card, often enough for the shortest grace time.
SAVE_EVERY_S = 10.0
_SAVES_A_GRACE = 4
_DRAIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the desk gave, for a display; it holds no picture."""

    at: Instant
    number: int
    detections: Detections
    changes: tuple[Change, ...]
    progress: tuple[Progress, ...]
    looks_per_s: float
    connected: bool
    waiting: int


Observer = Callable[[Look], None]


class Box:
    """One camera, one detector, one policy, one outbox and one link."""

    def __init__(  # noqa: PLR0913 - all but one are keywords
        self,
        settings: BoxSettings,
        *,
        base: Path,
        clock: Clock | None = None,
        observer: Observer | None = None,
        camera: CameraFactory | None = None,
        timer: vitals.StageTimer | None = None,
        heat: Callable[[], vitals.Heat] = vitals.heat,
        starts: Starts | None = None,
        feeder: Feeder | None = None,
    ) -> None:
        """Load the model, open the outbox; nothing is looked at or sent yet.

        Args:
            settings: The box's own file; what came by MQTT goes before it.
            base: The folder that relative paths start from.
            clock: The machine's by default.
            observer: Told of each look, in the loop's thread.
            camera: Makes the camera; default: the one that the settings name.
            timer: Times the stages `area`, `prepare`, `infer`, `decode`, `policy`, `commit`.
            heat: Reads the processor's.
            starts: Told that the box still runs.
            feeder: Feeds the watchdog; default: that of the manager that started this process.

        Raises:
            ModelError: If the model cannot be used.
            OutboxError: If the outbox cannot be used.
            PinError: If a pin cannot be used.
            EvidenceError: If stills are on and cannot be made.
        """
        self._clock = clock or SystemClock()
        self._observer = observer
        self._stop = threading.Event()
        self._started = self._clock.now()
        self._boot = boot_id()
        self._timer = timer or vitals.StageTimer()
        self._heat = heat
        self._watching = report.Watching()
        self._told: Privacy | None = None
        self._fault: CaptureState | None = None
        self._saved_at = self._started.mono
        self._health_at = 0.0
        self._seen = self._looked = self._started
        worked = Worked(settings.outbox.path, self._boot)
        self._feeder = feeder or Feeder(teller=Teller(worked=worked))
        self._parts = parts = assemble(
            settings,
            base=base,
            clock=self._clock,
            boot=self._boot,
            timer=self._timer,
            camera=camera,
        )
        self._standing = lambda: report.standing(
            parts, self._looked, self._clock.now(), seen=self._looked is not self._started
        )
        self._settings, self._control, self._starts = parts.settings, parts.control, starts
        self._policy, self._governor, self._looker = parts.policy, parts.governor, parts.looker
        self._events, self._outbox, self._link = parts.events, parts.outbox, parts.link
        self._tray, self._preparer, self._capture = parts.tray, parts.preparer, parts.capture
        self._worker, self._shift = parts.worker, parts.worker.shift

    def stop(self) -> None:
        """Ask the loop to end; callable from a signal handler or another thread."""
        self._stop.set()

    def run(self, *, until_end: bool = False) -> int:
        """Look at the desk until stopped.

        Args:
            until_end: End with the recording, once all its events were answered.

        Returns:
            0, or 1 if a recording could not be read to its end or events were left unanswered, or
            75 if a new process should go on: the camera is beyond what this one can do, or it was
            asked for.
        """
        self._restore()
        self._worker.start()
        for one in (self._parts.models, self._parts.updates):
            one.begin(self._parts.commands)
        self._parts.rotation.resume(self._parts.commands)
        self._link.start()
        self._control.begin()
        now = self._clock.now()
        self._follow_worker(now)
        self._report(self._capture.state(now))
        orderly = False
        try:
            code = self._loop(until_end=until_end)
            orderly = code != EXIT_RESTART_ME or self._control.restarting
        finally:
            self._feeder.leave()
            self._say_goodbye(orderly=orderly)
        return code

    def _restore(self) -> None:
        """Go on where the last process stopped; what is open on file but unknown here closes."""
        saved = self._outbox.state()
        changes: list[Change] = []
        if saved is not None:
            try:
                state = PolicyState.model_validate_json(saved)
            except ValidationError as error:
                log.exception(
                    "the saved state is of another version: open violations close as 'restart'",
                    extra={"problems": error.error_count()},
                )
                changes = [
                    closing(active, CloseReason.RESTART, self._started)
                    for active in self._outbox.open_violations()
                ]
            else:
                changes = self._policy.restore(state, self._started)
        self._save(self._started, changes)

    def _loop(self, *, until_end: bool) -> int:
        wait_s = self._feeder.within(min(1.0, self._settings.camera.timeout_s))
        while not self._stop.is_set():
            ready = self._tray.take(wait_s)
            now = self._clock.now()
            if self._follow_worker(now):
                ready = None  # it was taken before the break, however short that was
            state = self._capture.state(now)
            self._tell_privacy(state, now)
            if self._must_restart(now):
                return EXIT_RESTART_ME
            self._feeder.turn(now.mono, self._standing)
            if self._shift.resting:
                self._rest(state, now)
                continue
            # Whatever was made ready can be believed, even if the camera failed since.
            if ready is not None:
                self._look(ready, state, now)
            done = ready is None and not self._tray.waiting
            if done or state.fault is None:
                self._watch(state, now)
            self._govern(state, now)
            if now.mono - self._health_at >= self._settings.health_every_s:
                self._report(state)
            if state.give_up:
                log.error("camera is beyond recovery here: exit for a restart")
                return EXIT_RESTART_ME
            if state.ended and done and until_end:
                drained = self._link.wait_drained(_DRAIN_S, unless=self._stop)
                return EXIT_OK if drained and state.fault is CameraFault.ENDED else EXIT_FAILED
        return EXIT_OK

    def _must_restart(self, now: Instant) -> bool:
        """Do what was asked from afar; what is open closes where its rule is gone or another."""
        if self._starts is not None:
            self._starts.follow(now)
        effect = self._control.step()
        if effect is Effect.CHANGED:
            self._settings = self._control.settings
            at = self._at(now)
            self._commit(rearrange(self._parts, self._settings, at), at)
        if self._shift.stuck:
            log.error("the camera does not let go in a break: exit, which ends it")
        return effect is Effect.RESTART or self._shift.stuck

    def _follow_worker(self, now: Instant) -> bool:
        """Take note of breaks: in one, the sensor is stopped and nothing is open.

        Returns:
            Whether one has begun or ended since the last time.
        """
        rested, noted = self._shift.resting, self._shift.noted
        at = self._at(now)
        self._commit(self._shift.follow(at, now), at)
        if rested and not self._shift.resting:
            self._watching.resumed(now)
        return (rested, noted) != (self._shift.resting, self._shift.noted)

    def _at(self, now: Instant) -> Instant:
        """Return the policy's present: a recording read faster than taken is ahead of the clock."""
        return self._seen if self._seen.mono > now.mono else now

    def _rest(self, state: CaptureState, now: Instant) -> None:
        """Do what there is to do in a break: stay on the line."""
        self._fault = None
        self._worker.mode.date()
        if now.mono - self._health_at >= self._settings.health_every_s:
            self._report(replace(state, fault=None))

    def _look(self, ready: Ready, state: CaptureState, now: Instant) -> None:
        self._seen, self._looked = ready.at, now
        if self._watching.saw(now):
            self._report(replace(state, fault=None))
        self._control.looked(now)
        seen = self._looker.look(ready, always=self._shift.attentive, unless=self._shift.unwanted)
        with self._timer.stage("commit"):
            self._commit(seen.changes, ready.at)
        self._shift.look(seen.detections, ready.at, ready.picture)
        if self._observer and seen.detections is not None:
            self._observer(self._describe(ready, seen.detections, seen.changes))

    def _govern(self, state: CaptureState, now: Instant) -> None:
        """Look more rarely while the box is hot; a recording's own time knows no heat."""
        if is_live(self._settings.camera) and self._governor.due(now):
            changed = self._governor.step(self._heat(), now)
            self._preparer.looks_per_s = self._governor.looks_per_s
            if changed:
                self._report(state)

    def _commit(self, changes: list[Change], at: Instant) -> None:
        due = self._policy.open_count and at.mono - self._saved_at >= self._save_every_s()
        if changes or due:
            for change in changes:
                log.info(
                    "violation %s",
                    change.phase.value,
                    extra={"rule": change.rule, "class": change.class_name, "zone": change.zone},
                )
            self._save(at, changes)
            self._worker.changed(changes)

    def _save_every_s(self) -> float:
        shortest_grace = min(rule.grace_s for rule in self._settings.rules)
        return min(SAVE_EVERY_S, max(1.0, shortest_grace / _SAVES_A_GRACE))

    def _save(self, at: Instant, changes: list[Change] | None = None) -> None:
        state = self._policy.snapshot().model_dump_json().encode()
        self._outbox.commit(changes or [], state, make=self._events)
        self._saved_at = at.mono

    def _watch(self, state: CaptureState, now: Instant) -> None:
        """Publish a fault's beginning and end; a fault suspends what is open and closes nothing."""
        fault = self._fault.fault if self._fault else None
        if state.fault is not None:
            at = self._at(now)
            self._commit(self._policy.suspend(at), at)
            self._shift.forget()
        if state.fault is not fault:
            self._fault = state if state.fault else None
            if state.fault:
                log.info("violations are suspended while the camera is at fault")
            else:
                log.info("camera is back")
            self._report(state)

    def _describe(self, ready: Ready, found: Detections, changes: list[Change]) -> Look:
        return Look(
            at=ready.at,
            number=ready.number,
            detections=found,
            changes=tuple(changes),
            progress=tuple(self._policy.progress()),
            looks_per_s=self._timer.looks_per_s(),
            connected=self._link.connected,
            waiting=self._outbox.health().depth,
        )

    def _report(self, state: CaptureState) -> None:
        """Hand health and privacy to the link, which keeps them published."""
        now = self._clock.now()
        self._health_at = now.mono
        health = report.health(
            state,
            self._timer,
            self._outbox.health(),
            report.Pace(self._governor, gated=self._settings.gate == "on"),
            heat=self._heat(),
            now=now,
            boot=self._boot,
            scheduled_rules_active=self._policy.scheduled_rules_active,
            requests=self._parts.commands.health,
        )
        parts, stills = self._parts, self._worker.stills_health
        more = {"model": parts.models.running, "update": parts.updates.running, "stills": stills}
        self._link.set_health(health.model_copy(update=more))
        self._tell_privacy(state, now)

    def _tell_privacy(self, state: CaptureState, now: Instant) -> None:
        """Publish whether the box looks, once something about it has changed."""
        mode = self._worker.mode
        # Nobody is told of a break whose sensor has not let go.
        rest = None if mode.sensing else mode.privacy(now)
        privacy = self._watching.privacy(
            state, now, rest=rest, absent_since=self._shift.absent_since
        )
        if privacy is not None and privacy != self._told:
            self._told = privacy
            self._worker.told(privacy)
            self._link.set_privacy(privacy)

    def _say_goodbye(self, *, orderly: bool) -> None:
        """Stop the sensor, save, and leave; what was not asked for is `offline`, not `stopped`."""
        self._worker.stop()
        now = self._clock.now()
        self._save(now)
        rest = self._worker.mode.privacy(now)
        self._link.set_privacy(self._watching.off(self._capture.state(now), now, rest=rest))
        self._link.stop(orderly=orderly)
        self._outbox.close()
