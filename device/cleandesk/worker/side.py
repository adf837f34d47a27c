"""The worker's side of a box, put together: break, absence, spot checks, socket, button, light."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cleandesk.camera import Capture
from cleandesk.clock import Clock
from cleandesk.contract.commands import Outcome, SpotCheckRequest, SpotCheckResponse
from cleandesk.contract.health import StillHealth
from cleandesk.contract.messages import Privacy
from cleandesk.contract.topics import Address, Command
from cleandesk.contract.worker_messages import Idle as IdleMessage
from cleandesk.evidence import Taking
from cleandesk.link import Outbox, Paper
from cleandesk.loop import Looker
from cleandesk.policy import Change, Policy
from cleandesk.settings import BoxSettings
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.commands import Commands, Reply
from cleandesk.worker.desk import Examine
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.idle import Idle
from cleandesk.worker.pins import Pins
from cleandesk.worker.presence import Presence
from cleandesk.worker.protocol import Statement
from cleandesk.worker.reception import Backing, Reception
from cleandesk.worker.sensor import Sensor
from cleandesk.worker.shift import Onlookers, Shift
from cleandesk.worker.sight import Sight
from cleandesk.worker.spot_check import SpotChecks

#: Spot checks that come to nothing, such as in a break, beside those that are done.
_MORE_SPOT_CHECKS = 12


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the worker's side is put into.

    Attributes:
        aiming: Already taps the pictures.
        commands: Already gets requests.
        connected: Whether the broker has us.
        wake: Has the frame loop take its next turn at once.
        statement: What is sensed, sent and kept by the running configuration.
        examine: Looks for what is wrong with the box.
        stills: Takes pictures of violations; None where the site has not turned that on.
    """

    outbox: Outbox
    capture: Capture
    policy: Policy
    looker: Looker
    sight: Sight
    aiming: Aiming
    commands: Commands
    connected: Callable[[], bool]
    wake: Callable[[], None]
    statement: Callable[[], Statement]
    examine: Examine
    stills: Taking | None


class WorkerSide:
    """All of it; the frame loop knows its `mode` and `shift`, and tells it of changes.

    Raises:
        PinError: If a pin that the settings name cannot be used.
    """

    def __init__(
        self, settings: BoxSettings, clock: Clock, boot: str, around: Surroundings
    ) -> None:
        self._settings, self._clock, self._around = settings, clock, around
        self._address = Address(settings.site, settings.box)
        self._pins = Pins(settings.gpio)
        self._drawings = Drawings(around.sight, settings.area, settings.zones)
        self._spots = SpotChecks(
            [rule.name for rule in settings.rules], settings.spot_checks.per_hour
        )
        idle = Idle(settings.idle.after_s) if settings.idle.enabled else None
        self._reception = Reception(
            settings,
            clock,
            boot,
            Backing(
                outbox=around.outbox,
                sensor=Sensor(around.capture, self._pins.light),
                commands=around.commands,
                connected=around.connected,
                statement=around.statement,
                examine=around.examine,
                drawings=self._drawings,
                spots=self._spots,
                aiming=around.aiming,
                idle=idle,
            ),
        )
        self.mode = self._reception.mode
        zone = settings.zones[settings.worker.zone] if settings.worker.zone else None
        self.shift = Shift(
            self.mode,
            around.policy,
            around.looker,
            onlookers=Onlookers(
                sight=around.sight,
                spots=self._spots,
                aiming=around.aiming,
                drawings=self._drawings,
                presence=Presence(zone, settings.worker.absent_after_s) if zone else None,
                idle=idle,
                say_idle=self._say_idle,
                stills=around.stills,
            ),
            timeout_s=settings.camera.timeout_s,
        )
        around.commands.add(
            Command.SPOT_CHECK,
            SpotCheckRequest,
            SpotCheckResponse,
            self._on_spot_check,
            per_hour=settings.spot_checks.per_hour + _MORE_SPOT_CHECKS,
        )

    def start(self) -> None:
        """Take over what the ledger says, and begin to listen."""
        self._reception.start(self._around.wake)
        self._pins.listen(self.mode.toggle, self.mode.reset_pin)
        if self._around.stills is not None:
            self._around.stills.start()

    def rearrange(self, settings: BoxSettings) -> None:
        """Go by other rules, zones and limits on breaks from now on."""
        self._around.sight.rearrange(settings.rules)
        self._drawings.rearrange(settings.zones)
        self._spots.judge_by([rule.name for rule in settings.rules])
        self.mode.limit(settings.breaks)

    def stop(self) -> None:
        """Stop the sensor, put out the light, listen no more."""
        self.mode.stop_sensor()
        if self._around.stills is not None:
            self._around.stills.stop()
        self._reception.stop()
        self._pins.close()

    def changed(self, changes: Sequence[Change]) -> None:
        """Take what opened, changed or closed, once it is committed."""
        self._reception.recent.take(changes)
        self.shift.changed(changes)

    def told(self, privacy: Privacy) -> None:
        """Take what was published last."""
        self._reception.told(privacy)

    @property
    def stills_health(self) -> StillHealth | None:
        """What became of pictures of violations; None where there are none."""
        return None if self._around.stills is None else self._around.stills.health

    def _say_idle(self, message: IdleMessage) -> None:
        self._around.outbox.say(Paper.idle(self._address, message))

    def _on_spot_check(self, request: SpotCheckRequest, reply: Reply) -> None:
        now = self._clock.now()
        refusal: tuple[Outcome, str] | None = None
        if self.mode.present is not None:
            refusal = Outcome.ON_BREAK, "the worker has a break"
        elif not self._settings.spot_checks.enabled:
            refusal = Outcome.OFF, "spot checks are not turned on here"
        elif (fault := self._around.capture.state(now).fault) is not None:
            refusal = Outcome.OFF, f"the camera is at fault: {fault}"
        elif not self._spots.begin(request.look_s, reply, now):
            refusal = Outcome.BUSY, "one runs already, or there were too many in this hour"
        if refusal is not None:
            outcome, detail = refusal
            reply(
                SpotCheckResponse(
                    outcome=outcome, detail=detail, at=now.utc, clock_synced=now.synced
                )
            )
