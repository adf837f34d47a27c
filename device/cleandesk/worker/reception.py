"""What the worker reaches whether the box looks or not: breaks, the page, what was sent."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cleandesk.clock import Clock
from cleandesk.contract.commands import BreakRequest, BreakResponse, Outcome
from cleandesk.contract.messages import Privacy
from cleandesk.contract.topics import Channel, Command
from cleandesk.link import Outbox
from cleandesk.settings import BoxSettings
from cleandesk.worker import keeping
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.break_mode import BreakMode, By
from cleandesk.worker.breaks import Rules
from cleandesk.worker.commands import Commands, Reply
from cleandesk.worker.desk import Desk, Examine, Sources
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.idle import Idle
from cleandesk.worker.protocol import Statement
from cleandesk.worker.recall import recall
from cleandesk.worker.recent import Recent
from cleandesk.worker.sensor import Sensor
from cleandesk.worker.socket import SocketServer
from cleandesk.worker.spot_check import SpotChecks

_SOCKET = "page.sock"
#: Breaks that the company's own app begins, answered in any hour; more begin all the same.
_BREAKS_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Backing:
    """What stands behind it.

    Attributes:
        sensor: What a break stops.
        commands: Already gets requests.
        connected: Whether the broker has us.
        statement: What is sensed, sent and kept by the running configuration.
        examine: Looks for what is wrong with the box.
        drawings: For those who watch.
        spots: The spot check that runs, if any.
        aiming: None where nothing is looked at.
        idle: None where the site does not ask for the marker.
        safe_mode: Why nothing is looked at; None: the box is not in safe mode.
    """

    outbox: Outbox
    sensor: Sensor
    commands: Commands
    connected: Callable[[], bool]
    statement: Callable[[], Statement]
    examine: Examine
    drawings: Drawings
    spots: SpotChecks
    aiming: Aiming | None = None
    idle: Idle | None = None
    safe_mode: str | None = None


def socket_of(settings: BoxSettings) -> Path:
    """Return the path of the socket that the page, and the doctor, ask on."""
    return settings.page.socket or settings.outbox.path.with_name(_SOCKET)


class Reception:
    """Breaks by the page and by the company's app, and the socket that the page asks on.

    Attributes:
        mode: Whether the worker has a break.
        recent: The latest violations.

    Args:
        settings: Those that run.
        clock: The box's.
        boot: Id of this power-on.
        backing: What stands behind it.
    """

    def __init__(self, settings: BoxSettings, clock: Clock, boot: str, backing: Backing) -> None:
        self._clock, self._backing = clock, backing
        outbox = backing.outbox
        self.mode = BreakMode(
            keeping.path_of(settings.outbox.path),
            Rules(settings.breaks, boot),
            clock,
            backing.sensor,
            fresh=outbox.fresh,
            note=outbox.note,
        )
        self.recent = Recent()
        self._desk = Desk(
            settings,
            clock,
            Sources(
                mode=self.mode,
                outbox=outbox,
                recent=self.recent,
                spots=backing.spots,
                aiming=backing.aiming,
                idle=backing.idle,
                connected=backing.connected,
                statement=backing.statement,
                examine=backing.examine,
                safe_mode=backing.safe_mode,
            ),
        )
        self._server: SocketServer | None = None
        if settings.page.enabled:
            self._server = SocketServer(
                socket_of(settings), settings.page.group, self._desk.answer, backing.drawings
            )
        backing.commands.add(
            Command.BREAK,
            BreakRequest,
            BreakResponse,
            self._on_break,
            per_hour=_BREAKS_AN_HOUR,
            always=True,
        )

    def start(self, wake: Callable[[], None]) -> None:
        """Take over what the ledger says, and begin to listen.

        Args:
            wake: Called when a break begins or ends.
        """
        outbox = self._backing.outbox
        entries = recall(outbox, {Channel.COMMAND, Channel.VIOLATION, Channel.APPEAL})
        self._backing.commands.load(entries)
        self.recent.load(entries, outbox.open_violations())
        self.mode.listen(wake)
        if self._server is not None:
            self._server.start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.stop()

    def told(self, privacy: Privacy) -> None:
        """Take what was published last."""
        self._desk.told(privacy)

    def _on_break(self, request: BreakRequest, reply: Reply) -> None:
        present = self.mode.start(request.reason, By.COMPANY)
        now = self._clock.now()
        reply(
            BreakResponse(
                outcome=Outcome.DONE, since=present.since, at=now.utc, clock_synced=now.synced
            )
        )
