"""What the capture thread says about itself, readable from any thread."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from cleandesk.clock import Instant
from cleandesk.contract.messages import CameraFault

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CaptureState:
    """How the camera does.

    Attributes:
        fault: Its name; None while frames come.
        detail: Where, why and what to do; empty without a fault.
        since: When the fault began.
        frames: Frames that the source delivered.
        dropped: Frames that a newer one replaced before they were taken.
        reopened: Times that the source was opened again.
        ended: The thread is done and will deliver no more: `fault` says why.
        give_up: This process can do no more; a new one should try.
        frame_age_s: Seconds since the last frame came; None before the first.
        delivered: When the last believable one was handed on, monotonic; None before the first.
    """

    fault: CameraFault | None = None
    detail: str = ""
    since: Instant | None = None
    frames: int = 0
    dropped: int = 0
    reopened: int = 0
    ended: bool = False
    give_up: bool = False
    frame_age_s: float | None = None
    delivered: float | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """A call into the source that may never return, and when it began."""

    call: str
    since: Instant


class Board:
    """The thread's own account of itself. It alone writes; each value is replaced as a whole."""

    def __init__(self, name: str, on_change: Callable[[CaptureState], None] | None = None) -> None:
        self.name = name
        self._on_change = on_change
        self._state = CaptureState()
        self._doing: Doing | None = None
        self._last_frame: float | None = None

    def begin(self) -> None:
        """Start afresh; what was counted is kept."""
        self._doing = None
        self._set(replace(self._state, fault=None, detail="", since=None, ended=False))

    def doing(self, call: str, now: Instant) -> None:
        """Note a call into the source that may hang."""
        self._doing = Doing(call, now)

    def done(self) -> None:
        """Note that the call came back."""
        self._doing = None

    def frame(self, now: Instant) -> None:
        """Count a frame."""
        self._last_frame = now.mono
        self._set(replace(self._state, frames=self._state.frames + 1))

    def reopened(self) -> None:
        """Count a stop and start."""
        self._set(replace(self._state, reopened=self._state.reopened + 1))

    def good(self, now: Instant) -> None:
        """Note a frame that can be believed."""
        good = replace(self._state, fault=None, detail="", since=None, give_up=False)
        self._set(replace(good, delivered=now.mono))

    def faulty(
        self, fault: CameraFault, detail: str, since: Instant, *, final: bool = False
    ) -> None:
        """Note a fault; one that goes on keeps its beginning. After a final one, no frame comes."""
        if self._state.fault is fault:
            since = self._state.since or since
        elif final or self._state.detail != detail:
            log.warning("camera fault", extra={"fault": fault.value, "detail": detail})
        self._set(replace(self._state, fault=fault, detail=detail, since=since, ended=final))

    def give_up(self) -> None:
        """Note that this process can do no more."""
        self._set(replace(self._state, give_up=True))

    def read(self, now: Instant, *, timeout_s: float, hang_s: float) -> CaptureState:
        """Return the state as of now, also when the thread itself cannot speak.

        Args:
            now: The present moment.
            timeout_s: A call that takes longer means a stalled camera.
            hang_s: One that takes longer than this will not come back in this process.
        """
        state, doing, last = self._state, self._doing, self._last_frame
        if last is not None:
            state = replace(state, frame_age_s=max(0.0, now.mono - last))
        if doing is None or now.mono - doing.since.mono <= timeout_s:
            return state
        hung_s = now.mono - doing.since.mono
        state = replace(state, give_up=state.give_up or hung_s > hang_s)
        if state.fault is not None:
            return state
        detail = (
            f"{self.name}: {doing.call} has not come back for {hung_s:.0f} s; the driver or the "
            "network hangs: the box restarts itself if it goes on"
        )
        return replace(state, fault=CameraFault.STALLED, detail=detail, since=doing.since)

    def _set(self, state: CaptureState) -> None:
        before, self._state = self._state, state
        told = (state.fault, state.ended, state.give_up)
        if self._on_change is None or told == (before.fault, before.ended, before.give_up):
            return
        try:
            self._on_change(state)
        except Exception:
            log.exception("a listener to the camera's state failed; the camera goes on")
