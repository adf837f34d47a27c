"""What the worker reaches whether the box looks or not: breaks, the page, what was sent."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cleandesk.clock import Clock
from cleandesk.contract.commands import BreakRequest, BreakResponse, Outcome
from cleandesk.contract.messages import Privacy
from cleandesk.contract.topics import Channel, Command
from cleandesk.link import Entry, LedgerUnreadableError, Outbox
from cleandesk.settings import BoxSettings
from cleandesk.worker import keeping
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.break_mode import BreakMode, By
from cleandesk.worker.breaks import Rules
from cleandesk.worker.commands import Commands, Reply
from cleandesk.worker.desk import Desk, Sources
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.idle import Idle
from cleandesk.worker.protocol import Statement
from cleandesk.worker.recent import Recent
from cleandesk.worker.sensor import Sensor
from cleandesk.worker.socket import SocketServer
from cleandesk.worker.spot_check import SpotChecks

log = logging.getLogger(__name__)

_SOCKET = "page.sock"
#: Of the ledger's newest entries, so many are read at the start: for answers that were given, and
#: the violations of the last day.
_READ_AT_START, _PAGE = 2000, 200
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
    drawings: Drawings
    spots: SpotChecks
    aiming: Aiming | None = None
    idle: Idle | None = None
    safe_mode: str | None = None


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
                safe_mode=backing.safe_mode,
            ),
        )
        self._server: SocketServer | None = None
        if settings.page.enabled:
            path = settings.page.socket or settings.outbox.path.with_name(_SOCKET)
            self._server = SocketServer(
                path, settings.page.group, self._desk.answer, backing.drawings
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
        entries = list(self._read_ledger())[::-1]
        self._backing.commands.load(entries)
        self.recent.load(entries, self._backing.outbox.open_violations())
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

    def _read_ledger(self) -> Iterator[Entry]:
        """Yield the newest entries, the newest first."""
        before: int | None = None
        wanted = {Channel.COMMAND, Channel.VIOLATION, Channel.APPEAL}
        for _ in range(_READ_AT_START // _PAGE):
            try:
                entries = self._backing.outbox.ledger(before, _PAGE)
            except LedgerUnreadableError as error:
                log.warning("the page will not show earlier violations", extra={"why": str(error)})
                return
            if not entries:
                return
            before = entries[-1].number
            yield from (one for one in entries if one.kind in wanted)

    def _on_break(self, request: BreakRequest, reply: Reply) -> None:
        present = self.mode.start(request.reason, By.COMPANY)
        now = self._clock.now()
        reply(
            BreakResponse(
                outcome=Outcome.DONE, since=present.since, at=now.utc, clock_synced=now.synced
            )
        )
