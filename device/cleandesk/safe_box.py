"""Safe mode: nothing is looked at, the line is up, and `config/desired` and requests lead out."""

import logging
import threading

from cleandesk import __version__, vitals
from cleandesk.clock import Clock, SystemClock, boot_id
from cleandesk.contract.health import CameraHealth, Health
from cleandesk.contract.messages import CloseReason, Privacy, PrivacyState, Status
from cleandesk.contract.topics import Address
from cleandesk.control import Configuration, Control, Effect, Rotation, kept, rotation
from cleandesk.control.control import Hands
from cleandesk.detector import Manifest, default_manifest, read_manifest
from cleandesk.doctor.examiner import Examiner, Patient
from cleandesk.identity.home import Home
from cleandesk.link import EventMaker, Link, Outbox, closing
from cleandesk.policy import PolicyState
from cleandesk.settings import BoxSettings
from cleandesk.watchdog import Feeder, Standing
from cleandesk.worker.answers import room_a_day
from cleandesk.worker.commands import Commands
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.reception import Backing, Reception
from cleandesk.worker.sensor import NoLight, Sensor
from cleandesk.worker.sight import Sight
from cleandesk.worker.spot_check import SpotChecks
from cleandesk.worker.statement import Choices, statement

log = logging.getLogger(__name__)

EXIT_OK, EXIT_RESTART_ME = 0, 75
SAFE_MODE = "safe_mode"
_TURN_S = 1.0
_MOST_WHY = 200


class _NoCamera:
    """What a break stops here: nothing runs."""

    def start(self) -> None:
        """Do nothing."""

    def stop(self, timeout_s: float = 2.0) -> bool:  # noqa: ARG002 - the protocol's
        """Say that it has let go."""
        return True


class SafeBox:
    """A box that only stays on the line. It loads no model and opens no camera.

    Args:
        settings: The box's own file.
        why: What put it there.
        clock: The machine's by default.
        feeder: Feeds the watchdog; default: that of the manager that started this process.

    Raises:
        ModelError: If the model's manifest cannot be used.
        OutboxError: If the outbox cannot be used.
    """

    def __init__(
        self,
        settings: BoxSettings,
        why: str,
        clock: Clock | None = None,
        *,
        feeder: Feeder | None = None,
    ) -> None:
        self._feeder = feeder or Feeder()
        self._clock, self._boot = clock or SystemClock(), boot_id()
        self._why, self._began = why[:_MOST_WHY], self._clock.now()
        self._wake, self._stop = threading.Event(), threading.Event()
        address, clock = Address(settings.site, settings.box), self._clock
        manifest = read_manifest(settings.detector.manifest or default_manifest())
        configuration = Configuration(
            settings, manifest, kept.path_of(settings.outbox.path), self._boot
        )
        self._settings = configuration.settings
        self._events = EventMaker(address, boot=self._boot, model_sha256=manifest.sha256)
        self._outbox = Outbox(
            settings.outbox, address, boot=self._boot, clock=clock, keep=settings.ledger
        )
        self._commands = Commands(
            address, clock, self._outbox.say, room=room_a_day(settings.ledger)
        )
        self._link = Link(
            settings.broker,
            address,
            self._outbox,
            clock=clock,
            boot=self._boot,
            version=__version__,
            model=f"{manifest.name} {manifest.version}",
            on_request=self._commands.take,
            on_desired=lambda received: self._control.take(received),  # noqa: PLW0108 - made below
            safe_mode=self._why,
        )
        hands = Hands(
            report=self._link.set_reported,
            republish=self._link.republish,
            status=self._status,
            wake=self._wake.set,
            live=False,
        )
        self._control = Control(configuration, clock, self._outbox, hands)
        self._control.serve(self._commands)
        self._rotation = Rotation(
            Home.of(settings.broker),
            clock,
            rotation.path_of(settings.outbox.path),
            self._link.reconnect,
        )
        self._rotation.serve(self._commands)
        self._examiner = Examiner(
            Patient(self._settings, clock, self._outbox, self._link, None, self._why)
        )
        self._examiner.serve(self._commands)
        self._reception = Reception(self._settings, clock, self._boot, self._backing(manifest))
        self._told: Privacy | None = None

    def stop(self) -> None:
        """Ask it to end; callable from a signal handler or another thread."""
        self._stop.set()
        self._wake.set()

    def run(self, *, until_end: bool = False) -> int:  # noqa: ARG002 - as a box; there is no end
        """Stay on the line until stopped.

        Returns:
            0, or 75 if a new process should go on: a change was accepted, or it was asked for.
        """
        log.error("safe mode: nothing is looked at", extra={"why": self._why})
        self._outbox.note(SAFE_MODE, "The box crashed again and again: it has stopped to look.")
        self._close_all()
        self._tell_privacy()
        self._reception.start(self._wake.set)
        self._link.start()
        self._control.begin()
        self._rotation.resume(self._commands)
        code = EXIT_OK
        health_at = float("-inf")
        try:
            while not self._stop.is_set():
                now = self._clock.now()
                self._feeder.turn(now.mono, self._standing)
                self._tell_privacy()
                if now.mono - health_at >= self._settings.health_every_s:
                    health_at = now.mono
                    self._link.set_health(self._health())
                if self._control.step() is Effect.RESTART:
                    code = EXIT_RESTART_ME
                    break
                self._wake.wait(self._feeder.within(_TURN_S))
                self._wake.clear()
        finally:
            self._feeder.leave()
            self._reception.stop()
            self._link.stop()
            self._outbox.close()
        return code

    def _standing(self) -> Standing:
        return Standing(
            now=self._clock.now().mono,
            sensor_runs=self._reception.mode.sensing,
            sensing=None,
            heartbeats=self._link.heartbeats,
            connected=self._link.connected,
        )

    def _close_all(self) -> None:
        """Close what is open: nobody can vouch for it any more."""
        now = self._clock.now()
        changes = [closing(one, CloseReason.OFF, now) for one in self._outbox.open_violations()]
        state = PolicyState(boot=self._boot, at=None, violations=())
        self._outbox.commit(changes, state.model_dump_json().encode(), make=self._events)

    def _backing(self, manifest: Manifest) -> Backing:
        settings = self._settings
        sight = Sight(settings.rules, manifest.classes, manifest.threshold_of)
        return Backing(
            outbox=self._outbox,
            sensor=Sensor(_NoCamera(), NoLight()),
            commands=self._commands,
            connected=lambda: self._link.connected,
            statement=lambda: statement(settings, Choices.of(settings)),
            examine=self._examiner.examine,
            drawings=Drawings(sight, settings.area, settings.zones),
            spots=SpotChecks([], per_hour=0),
            safe_mode=self._why,
        )

    def _tell_privacy(self) -> None:
        """Publish that nothing is looked at, or that the worker has a break, once that changes."""
        off = Privacy(state=PrivacyState.OFF, reason=SAFE_MODE, since=self._began.utc)
        self._reception.told(off)
        privacy = self._reception.mode.privacy(self._clock.now()) or off
        if privacy != self._told:
            self._told = privacy
            self._link.set_privacy(privacy)

    def _status(self) -> Status:
        return self._link.status

    def _health(self) -> Health:
        now, heat = self._clock.now(), vitals.heat()
        return Health(
            at=now.utc,
            boot=self._boot,
            uptime_s=round(now.mono, 1),
            clock_synced=now.synced,
            scheduled_rules_active=False,
            camera=CameraHealth(fps=0, frames=0, dropped=0),
            stages={},
            outbox=self._outbox.health(),
            memory_mb=vitals.memory_mb(),
            temperature_c=heat.celsius,
            throttled=heat.throttled,
            requests=self._commands.health,
            safe_mode=self._why,
        )
