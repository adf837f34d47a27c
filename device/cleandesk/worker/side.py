"""The worker's side of a box, put together: break, absence, spot checks, socket, button, light."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleandesk.camera import Capture
from cleandesk.clock import Clock
from cleandesk.contract.commands import (
    BreakRequest,
    BreakResponse,
    Outcome,
    SpotCheckRequest,
    SpotCheckResponse,
)
from cleandesk.contract.health import StillHealth
from cleandesk.contract.topics import Address, Channel, Command
from cleandesk.contract.worker_messages import Idle as IdleMessage
from cleandesk.evidence import Taking
from cleandesk.link import Outbox, Paper
from cleandesk.loop import Looker
from cleandesk.policy import Change, Policy
from cleandesk.settings import BoxSettings
from cleandesk.worker import keeping
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.break_mode import BreakMode, By
from cleandesk.worker.breaks import Rules
from cleandesk.worker.commands import Commands, Reply
from cleandesk.worker.desk import Desk, Examine, Sources
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.idle import Idle
from cleandesk.worker.pins import Pins
from cleandesk.worker.presence import Presence
from cleandesk.worker.protocol import Statement
from cleandesk.worker.recall import recall
from cleandesk.worker.recent import Recent
from cleandesk.worker.sensor import Sensor
from cleandesk.worker.shift import Onlookers, Shift
from cleandesk.worker.sight import Sight
from cleandesk.worker.socket import SocketServer
from cleandesk.worker.spot_check import SpotChecks

_SOCKET = "page.sock"
#: Breaks that the company's own app begins, answered in any hour; more begin all the same.
_BREAKS_AN_HOUR = 60
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


def socket_of(settings: BoxSettings) -> Path:
    """Return the path of the socket that the page, and the doctor, ask on."""
    return settings.page.socket or settings.outbox.path.with_name(_SOCKET)


class WorkerSide:
    """All of it; the frame loop knows its `mode`, `shift` and `desk`, and tells it of changes.

    Raises:
        PinError: If a pin that the settings name cannot be used.
    """

    def __init__(
        self, settings: BoxSettings, clock: Clock, boot: str, around: Surroundings
    ) -> None:
        self._settings, self._clock, self._around = settings, clock, around
        self._address = Address(settings.site, settings.box)
        outbox = around.outbox
        self._pins = Pins(settings.gpio)
        self.mode = BreakMode(
            keeping.path_of(settings.outbox.path),
            Rules(settings.breaks, boot),
            clock,
            Sensor(around.capture, self._pins.light),
            fresh=outbox.fresh,
            note=outbox.note,
        )
        self.recent = Recent()
        self._drawings = Drawings(around.sight, settings.area, settings.zones)
        self._spots = SpotChecks(
            [rule.name for rule in settings.rules], settings.spot_checks.per_hour
        )
        idle = Idle(settings.idle.after_s) if settings.idle.enabled else None
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
        self.desk = Desk(
            settings,
            clock,
            Sources(
                mode=self.mode,
                outbox=outbox,
                recent=self.recent,
                spots=self._spots,
                aiming=around.aiming,
                idle=idle,
                connected=around.connected,
                statement=around.statement,
                examine=around.examine,
            ),
        )
        self._server: SocketServer | None = None
        if settings.page.enabled:
            self._server = SocketServer(
                socket_of(settings), settings.page.group, self.desk.answer, self._drawings
            )
        self._serve_commands()

    def start(self) -> None:
        """Take over what the ledger says, and begin to listen."""
        entries = recall(self._around.outbox, {Channel.COMMAND, Channel.VIOLATION, Channel.APPEAL})
        self._around.commands.load(entries)
        self.recent.load(entries, self._around.outbox.open_violations())
        self.mode.listen(self._around.wake)
        self._pins.listen(self.mode.toggle, self.mode.reset_pin)
        if self._around.stills is not None:
            self._around.stills.start()
        if self._server is not None:
            self._server.start()

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
        if self._server is not None:
            self._server.stop()
        self._pins.close()

    def changed(self, changes: Sequence[Change]) -> None:
        """Take what opened, changed or closed, once it is committed."""
        self.recent.take(changes)
        self.shift.changed(changes)

    @property
    def stills_health(self) -> StillHealth | None:
        """What became of pictures of violations; None where there are none."""
        return None if self._around.stills is None else self._around.stills.health

    def _say_idle(self, message: IdleMessage) -> None:
        self._around.outbox.say(Paper.idle(self._address, message))

    def _serve_commands(self) -> None:
        self._around.commands.add(
            Command.BREAK,
            BreakRequest,
            BreakResponse,
            self._on_break,
            per_hour=_BREAKS_AN_HOUR,
            always=True,
        )
        self._around.commands.add(
            Command.SPOT_CHECK,
            SpotCheckRequest,
            SpotCheckResponse,
            self._on_spot_check,
            per_hour=self._settings.spot_checks.per_hour + _MORE_SPOT_CHECKS,
        )

    def _on_break(self, request: BreakRequest, reply: Reply) -> None:
        present = self.mode.start(request.reason, By.COMPANY)
        now = self._clock.now()
        reply(
            BreakResponse(
                outcome=Outcome.DONE, since=present.since, at=now.utc, clock_synced=now.synced
            )
        )

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
