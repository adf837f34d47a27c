"""Safe mode: nothing is looked at, the line is up, and `config/desired` and requests lead out."""

import logging
import threading

from cleandesk import __version__, vitals
from cleandesk.clock import Clock, SystemClock, boot_id
from cleandesk.contract.commands import Outcome, SpotCheckRequest, SpotCheckResponse
from cleandesk.contract.health import CameraHealth, Health
from cleandesk.contract.messages import CloseReason, Privacy, PrivacyState
from cleandesk.contract.topics import Address, Command
from cleandesk.control import Configuration, Control, Effect, Rotation, kept, rotation
from cleandesk.control.control import Hands
from cleandesk.control.model_means import model_updates
from cleandesk.control.update_means import updates
from cleandesk.detector import Manifest, read_manifest
from cleandesk.doctor.examiner import Examiner, Patient
from cleandesk.identity.home import Home
from cleandesk.link import EventMaker, Link, Outbox, closing
from cleandesk.model.running import manifest_of
from cleandesk.policy import PolicyState
from cleandesk.settings import BoxSettings
from cleandesk.settings_worker import GpioSettings
from cleandesk.watchdog import Feeder, Standing
from cleandesk.worker.answers import room_a_day
from cleandesk.worker.commands import Commands, Reply
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.errors import PinError
from cleandesk.worker.pins import Pins
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
#: Answered in any hour; none is done.
_SPOT_CHECKS_AN_HOUR = 12


class _NoCamera:
    """What a break stops here: nothing runs."""

    def start(self) -> None:
        """Do nothing."""

    def stop(self, timeout_s: float = 2.0) -> bool:  # noqa: ARG002 - the protocol's
        """Say that it has let go."""
        return True


def _pins(settings: GpioSettings) -> Pins | None:
    """Return the button, which begins a break that outlives safe mode; the light is out.

    None where a pin cannot be had, which may be what the box crashed by: it must be on the line.
    """
    try:
        return Pins(settings)
    except PinError as error:
        log.error("the button does nothing", extra={"why": str(error)})  # noqa: TRY400 - the text says it all
        return None


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
        manifest = read_manifest(manifest_of(settings))
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
        self._link = self._new_link(settings, address, f"{manifest.name} {manifest.version}")
        self._control = Control(configuration, clock, self._outbox, self._hands())
        self._models = model_updates(
            settings,
            manifest=manifest,
            clock=clock,
            configuration=configuration,
            outbox=self._outbox,
            restart=self._control.restart,
        )
        self._updates = updates(settings, clock=clock, boot=self._boot, outbox=self._outbox)
        self._rotation = Rotation(
            Home.of(settings.broker),
            clock,
            rotation.path_of(settings.outbox.path),
            self._link.reconnect,
        )
        self._examiner = Examiner(
            Patient(self._settings, clock, self._outbox, self._link, None, self._why)
        )
        self._serve()
        self._reception = Reception(self._settings, clock, self._boot, self._backing(manifest))
        self._pins = _pins(self._settings.gpio)
        self._told: Privacy | None = None

    def _new_link(self, settings: BoxSettings, address: Address, model: str) -> Link:
        return Link(
            settings.broker,
            address,
            self._outbox,
            clock=self._clock,
            boot=self._boot,
            version=__version__,
            model=model,
            on_request=self._commands.take,
            on_desired=lambda received: self._control.take(received),  # noqa: PLW0108 - made later
            safe_mode=self._why,
        )

    def _hands(self) -> Hands:
        return Hands(
            report=self._link.set_reported,
            republish=self._link.republish,
            status=lambda: self._link.status,
            wake=self._wake.set,
            live=False,
        )

    def _serve(self) -> None:
        """Plug in the commands, but for `break`, which the reception takes."""
        for one in (
            self._control,
            self._models,
            self._updates,
            self._rotation,
            self._examiner,
        ):
            one.serve(self._commands)
        self._commands.add(
            Command.SPOT_CHECK,
            SpotCheckRequest,
            SpotCheckResponse,
            self._on_spot_check,
            per_hour=_SPOT_CHECKS_AN_HOUR,
        )

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
        if self._pins is not None:
            self._pins.listen(self._reception.mode.toggle, self._reception.mode.reset_pin)
        self._models.begin(self._commands)
        self._updates.begin(self._commands)
        self._rotation.resume(self._commands)
        self._link.start()
        self._control.begin()
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
            if self._pins is not None:
                self._pins.close()
            self._link.stop()
            self._outbox.close()
        return code

    def _on_spot_check(self, _: SpotCheckRequest, reply: Reply) -> None:
        now = self._clock.now()
        reply(
            SpotCheckResponse(
                outcome=Outcome.OFF,
                detail="safe mode: no camera is opened",
                at=now.utc,
                clock_synced=now.synced,
            )
        )

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
            model=self._models.running,
            update=self._updates.running,
            safe_mode=self._why,
        )
