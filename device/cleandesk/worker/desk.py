"""What the worker's page asks, and what it is answered. From any thread; it holds no loop."""

import base64
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cleandesk.clock import Clock, Instant
from cleandesk.contract.doctor_messages import DoctorCheck
from cleandesk.contract.messages import Privacy, PrivacyState
from cleandesk.contract.stills import media_type_of
from cleandesk.contract.topics import Address
from cleandesk.contract.worker_messages import Appeal
from cleandesk.link import Entry, LedgerUnreadableError, Outbox, Paper
from cleandesk.settings import BoxSettings
from cleandesk.worker import protocol as p
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.break_mode import BreakMode, By
from cleandesk.worker.checking import Checking
from cleandesk.worker.idle import Idle
from cleandesk.worker.recent import Recent
from cleandesk.worker.spot_check import SpotChecks

log = logging.getLogger(__name__)

#: Pictures of one answer, bytes: in base64 they fit into a line, with all else that is in it.
_MOST_PICTURES = p.MAX_LINE // 2
_NOTES = {
    "paired": "The page was paired with a new device.",
    "pin_changed": "The page's PIN was changed.",
    "pin_reset": "The page took the reset of its PIN.",
    "companion_allowed": "A companion may tell the age of the last input.",
    "companion_revoked": "The companion may tell nothing any more.",
}


class Examine(Protocol):
    """Looks for what is wrong with the box; waits for a frame."""

    def __call__(self, *, aimed: bool) -> list[DoctorCheck]:
        """Return each failure that was looked for, having kept the aim first if it is right.

        Raises:
            AimUnknownError: If it cannot be kept.
        """
        ...


class AimUnknownError(Exception):
    """The camera's aim could not be kept; the text says why."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the answers come from.

    Attributes:
        aiming: None where nothing is looked at.
        idle: None where the site does not ask for the marker.
        connected: Whether the broker has us.
        statement: What is sensed, sent and kept by the running configuration.
        examine: Looks for what is wrong with the box.
        safe_mode: Why nothing is looked at; None: the box is not in safe mode.
    """

    mode: BreakMode
    outbox: Outbox
    recent: Recent
    spots: SpotChecks
    aiming: Aiming | None
    idle: Idle | None
    connected: Callable[[], bool]
    statement: Callable[[], p.Statement]
    examine: Examine
    safe_mode: str | None = None


class Desk:
    """Answers the page.

    Args:
        settings: The box's.
        clock: The box's.
        sources: Where the answers come from.
    """

    def __init__(self, settings: BoxSettings, clock: Clock, sources: Sources) -> None:
        self._settings, self._clock, self._from = settings, clock, sources
        self._address = Address(settings.site, settings.box)
        self._told = Privacy(state=PrivacyState.OFF, since=clock.now().utc)
        self._answers: dict[type[p.Line], Callable[[Any], p.Line]] = {
            p.GetState: lambda _: self._state(),
            p.StartBreak: self._start_break,
            p.EndBreak: lambda _: self._end_break(),
            p.Object: self._object,
            p.TellIdle: self._tell_idle,
            p.GetLedger: self._ledger,
            p.GetStatement: lambda _: self._from.statement(),
            p.Aim: lambda _: self._aim(),
            p.StopAiming: lambda _: self._stop_aiming(),
            p.Note: self._note,
            p.Examine: self._examine,
        }
        self._checking = Checking(sources.outbox, clock)

    def told(self, privacy: Privacy) -> None:
        """Take what was published last."""
        self._told = privacy

    def answer(self, request: p.Request) -> p.Line:
        """Return the answer to a request."""
        return self._answers[type(request)](request)

    def _start_break(self, request: p.StartBreak) -> p.Line:
        self._from.mode.start(request.reason, By.PAGE)
        return self._state()

    def _end_break(self) -> p.Line:
        self._from.mode.end(By.PAGE)
        return self._state()

    def _tell_idle(self, request: p.TellIdle) -> p.Line:
        if self._from.idle is not None:
            self._from.idle.tell(request.input_age_s, self._clock.now())
        return p.Done()

    def _stop_aiming(self) -> p.Line:
        if self._from.aiming is not None:
            self._from.aiming.stop()
        return p.Done()

    def _note(self, request: p.Note) -> p.Line:
        self._from.outbox.note(request.kind, _NOTES[request.kind])
        return p.Done()

    def _examine(self, request: p.Examine) -> p.Line:
        try:
            return p.Examined(checks=self._from.examine(aimed=request.aimed))
        except AimUnknownError as error:
            return p.Failed(reason="no_frame", detail=str(error)[:200])

    def _state(self) -> p.State:
        mode, now = self._from.mode, self._clock.now()
        limits, aiming = self._settings.breaks, self._from.aiming
        last = self._from.spots.last
        return p.State(
            privacy=mode.privacy(now) or self._outside_a_break(now),
            sensing=mode.sensing,
            connected=self._from.connected(),
            limits=p.Limits(length_s=limits.length_s, count_per_day=limits.count_per_day),
            breaks_today=mode.today,
            spot_check=self._from.spots.running,
            last_spot_check_at=last.utc if last else None,
            aiming_until=aiming.until if aiming is not None else None,
            idle_on=self._settings.idle.enabled,
            idle=self._from.idle is not None and self._from.idle.stands,
            pin_resets=mode.pin_resets,
            violations=self._from.recent.list(now.utc),
            safe_mode=self._from.safe_mode,
        )

    def _outside_a_break(self, now: Instant) -> Privacy:
        """Return what was published last; a break that has just ended is no more."""
        if self._told.state is PrivacyState.BREAK:
            return Privacy(state=PrivacyState.WORKING, since=now.utc)
        return self._told

    def _object(self, request: p.Object) -> p.Line:
        if not self._from.recent.objected(request.violation_id, request.reason):
            return p.Failed(reason="unknown_violation")
        now = self._clock.now()
        appeal = Appeal(
            appeal_id=uuid.uuid4().hex,
            violation_id=request.violation_id,
            reason=request.reason,
            note=request.note,
            at=now.utc,
            clock_synced=now.synced,
        )
        self._from.outbox.say(Paper.appeal(self._address, appeal))
        return p.Done()

    def _aim(self) -> p.Line:
        mode, aiming = self._from.mode, self._from.aiming
        if aiming is None:
            return p.Failed(reason="off")
        shown = aiming.picture() if mode.present is None else None
        if mode.present is not None:  # perhaps only since the picture was made
            return p.Failed(reason="on_break")
        if shown is None:
            return p.Failed(reason="no_frame" if aiming.until else "off")
        return p.Picture.of(*shown)

    def _ledger(self, request: p.GetLedger) -> p.Line:
        try:
            entries = self._from.outbox.ledger(request.before, request.limit)
            newest = self._from.outbox.ledger(None, 1)
        except LedgerUnreadableError as error:
            return p.Failed(reason="busy", detail=str(error)[:200])
        checked = self._checking.checked()
        late = bool(newest) and checked.to < newest[0].number
        return p.Ledger(
            entries=[_entry(one) for one in _fitting(entries)],
            total=self._from.outbox.kept,
            whole=None if late and checked.whole else checked.whole,
            checked_to=checked.to,
        )


def _fitting(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the first ones, as many as one line takes; the page asks for the others next."""
    room = _MOST_PICTURES
    for one in entries:
        if media_type_of(one.payload) is not None:
            room -= len(one.payload)
        if room < 0:
            return
        yield one


def _entry(one: Entry) -> p.Entry:
    media = media_type_of(one.payload)
    picture = media == "image/jpeg"
    sealed = "" if picture or media is None else f"({media}, {len(one.payload)} bytes)"
    return p.Entry(
        number=one.number,
        at=datetime.fromisoformat(one.at),
        kind=one.kind,
        topic=one.topic,
        message_id=one.message_id[:200],
        payload="" if picture else sealed or one.payload.decode(errors="replace"),
        picture=base64.b64encode(one.payload).decode() if picture else None,
        chain=one.chain.hex(),
        sent_at=datetime.fromisoformat(one.sent_at) if one.sent_at else None,
        answered=one.answer,
    )
