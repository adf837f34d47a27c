"""Takes what comes from afar to the one thread that may change the box."""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cleandesk.clock import Clock, Instant
from cleandesk.contract.commands import (
    BreakLimits,
    Outcome,
    RestartRequest,
    RestartResponse,
    SetBreakLimitsRequest,
    SetBreakLimitsResponse,
    StateRequest,
    StateResponse,
)
from cleandesk.contract.config_messages import ReportedConfig
from cleandesk.contract.messages import Privacy, Status
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Command
from cleandesk.control import software
from cleandesk.control.configuration import Configuration, Proposal
from cleandesk.link import Outbox
from cleandesk.settings import BoxSettings
from cleandesk.settings_worker import BreakSettings
from cleandesk.worker.commands import Commands, Reply
from cleandesk.worker.limiter import MINUTE_S, Limiter

log = logging.getLogger(__name__)

#: What changes without a restart.
_LIVE = frozenset({"rules", "zones", "breaks"})
_STATES_AN_HOUR, _RESTARTS_AN_HOUR, _LIMITS_AN_HOUR = 60, 6, 12
#: So many `config/desired` are looked at in any minute; of those that wait the newest counts.
_READ_A_MINUTE = 30
_MOST_VIOLATIONS = 256


class Effect(StrEnum):
    """What the frame loop has to do: nothing, run by other settings, or end for a new start."""

    NONE = "none"
    CHANGED = "changed"
    RESTART = "restart"


def _unheard(_: Instant) -> None:
    """Stand in for one who is told of looks."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What control acts by.

    Attributes:
        report: Publishes `config/reported`.
        republish: Publishes all retained topics anew.
        status: What `status` says.
        wake: Has the loop take its next turn at once.
        on_look: Told of each look.
        live: Settings may change without a restart.
    """

    report: Callable[[ReportedConfig], None]
    republish: Callable[[], None]
    status: Callable[[], Status]
    wake: Callable[[], None]
    on_look: Callable[[Instant], None] = _unheard
    live: bool = True


class Control:
    """Requests about the box, and its configuration. Asked from any thread; `step` acts in one.

    Args:
        configuration: What runs.
        clock: The box's.
        outbox: Where changes are entered in the ledger.
        hands: What it acts by.
    """

    def __init__(
        self, configuration: Configuration, clock: Clock, outbox: Outbox, hands: Hands
    ) -> None:
        self._configuration, self._clock = configuration, clock
        self._outbox, self._to = outbox, hands
        # A retained message takes the place of the one before it.
        self._desired: deque[bytes] = deque(maxlen=1)
        self._readings = Limiter(_READ_A_MINUTE, MINUTE_S)
        # Good, and waits for its turn; in the loop's thread.
        self._delayed: bytes | None = None
        self._since = clock.now()
        self._limits: queue.SimpleQueue[tuple[BreakSettings, Reply]] = queue.SimpleQueue()
        self._restart = threading.Event()

    @property
    def restarting(self) -> bool:
        """Whether the process has to end for a new start."""
        return self._restart.is_set()

    @property
    def settings(self) -> BoxSettings:
        """What runs, or what the next start will run by."""
        return self._configuration.settings

    def serve(self, commands: Commands) -> None:
        """Plug in the commands."""
        commands.add(
            Command.STATE, StateRequest, StateResponse, self._on_state, per_hour=_STATES_AN_HOUR
        )
        commands.add(
            Command.RESTART,
            RestartRequest,
            RestartResponse,
            self._on_restart,
            per_hour=_RESTARTS_AN_HOUR,
        )
        commands.add(
            Command.SET_BREAK_LIMITS,
            SetBreakLimitsRequest,
            SetBreakLimitsResponse,
            self._on_limits,
            per_hour=_LIMITS_AN_HOUR,
        )

    def take(self, received: Received) -> None:
        """Take a `config/desired`; a topic that is emptied asks for nothing any more."""
        first = not self._desired
        self._desired.append(received.payload)
        if first:
            self._to.wake()

    def begin(self) -> None:
        """Publish what runs, once the ledger tells if it is not what was accepted last."""
        given_up = self._configuration.untold
        if given_up is not None:
            runs = self._configuration.report(self._clock.now()).running_version
            self._outbox.note(
                "config_given_up",
                f"With the site's change (version {given_up.version}) {given_up.why}. The box "
                f"goes by the one before again (version {runs or 'of the box'}).",
            )
            self._try("that a change was given up is told again", self._configuration.noted)
        self.report()

    def report(self) -> None:
        """Publish what runs."""
        self._to.report(self._configuration.report(self._clock.now()))

    def looked(self, now: Instant) -> None:
        """Take note of a look: what runs long enough, and looks, is good."""
        self._to.on_look(now)
        lasts_s = now.mono - self._since.mono
        if self._configuration.proven or lasts_s < self.settings.safe_mode.healthy_after_s:
            return
        # The version before is to find what it had, should this one be left.
        if software.WHERE.on_trial:
            return
        self._since = now
        self._try("the way back from a good configuration stays", self._configuration.prove)

    def restart(self) -> None:
        """Have the process end in order, for a new start; from any thread."""
        self._restart.set()
        self._to.wake()

    def step(self) -> Effect:
        """Do what was asked for since the last time."""
        changed = self._follow()
        while not self._limits.empty():
            changed |= self._limit(*self._limits.get())
        if self._restart.is_set():
            return Effect.RESTART
        return Effect.CHANGED if changed else Effect.NONE

    def _follow(self) -> bool:
        """Judge the newest configuration, and take over what is good when its turn comes."""
        now = self._clock.now()
        if self._desired and self._readings.take(now.mono):
            waited, self._delayed = self._delayed, None
            payload = self._desired.popleft()
            if payload:
                return self._judge(payload, now)
            if waited is not None:
                self._configuration.withdraw()
                self.report()
        elif self._delayed is not None and not self._configuration.full(now):
            payload, self._delayed = self._delayed, None
            return self._judge(payload, now)
        return False

    def _judge(self, payload: bytes, now: Instant) -> bool:
        proposal = self._configuration.judge(payload)
        taken = False
        if proposal is not None and self._configuration.full(now):
            log.warning("too many configurations: one waits", extra=_version(proposal))
            self._configuration.delay(proposal)
            self._delayed = payload
        elif proposal is not None:
            taken = self._take(proposal)
        if not self._restart.is_set():
            self.report()
        return taken

    def _limit(self, limits: BreakSettings, reply: Reply) -> bool:
        taken = self._take(self._configuration.with_limits(limits), answers=False)
        now = self._clock.now()
        reply(
            SetBreakLimitsResponse(
                outcome=Outcome.DONE if taken else Outcome.FAILED,
                detail=None if taken else "the disk does not take it: look at the box's disk",
                limits=BreakLimits.model_validate(self.settings.breaks.model_dump()),
                at=now.utc,
                clock_synced=now.synced,
            )
        )
        self.report()
        return taken

    def _take(self, proposal: Proposal, *, answers: bool = True) -> bool:
        """Enter a change in the ledger, then keep it; say whether that went well."""
        before = self.settings
        version, parts = proposal.kept.version, proposal.parts
        if parts:
            what = f"The site changed what this box runs by: {', '.join(parts)}"
            self._outbox.note("config_changed", f"{what} (version {version or 'of the box'}).")
        try:
            self._configuration.take(proposal, self._clock.now())
        except OSError as error:
            self._outbox.note("config_not_kept", "The change was not taken over: a disk fault.")
            log.exception("a configuration cannot be kept")
            if answers:
                self._configuration.refuse(proposal, error)
            return False
        self._since = self._clock.now()
        log.info("a configuration is taken over", extra=_version(proposal) | {"parts": parts})
        if not (self._to.live and _LIVE.issuperset(parts) and _same_desk(before, self.settings)):
            self._restart.set()
        return True

    def _try(self, otherwise: str, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            log.warning(otherwise, extra={"why": error.strerror})

    def _on_state(self, _: StateRequest, reply: Reply) -> None:
        now, told = self._clock.now(), self._outbox.privacy()
        open_now = [one.violation_id for one in self._outbox.open_violations()]
        reply(
            StateResponse(
                outcome=Outcome.DONE,
                at=now.utc,
                clock_synced=now.synced,
                status=self._to.status(),
                privacy=Privacy.model_validate_json(told.payload) if told else None,
                violations=open_now[:_MOST_VIOLATIONS],
            )
        )
        self._to.republish()

    def _on_restart(self, _: RestartRequest, reply: Reply) -> None:
        now = self._clock.now()
        reply(RestartResponse(outcome=Outcome.DONE, at=now.utc, clock_synced=now.synced))
        self.restart()

    def _on_limits(self, request: SetBreakLimitsRequest, reply: Reply) -> None:
        self._limits.put((request.limits, reply))
        self._to.wake()


def _version(proposal: Proposal) -> dict[str, object]:
    return {"version": proposal.kept.version}


def _same_desk(before: BoxSettings, after: BoxSettings) -> bool:
    """Say whether the worker's zone stays where it is: absence counts in it from the start."""
    zone = before.worker.zone
    return zone is None or before.zones[zone] == after.zones[zone]
