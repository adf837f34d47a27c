"""The capture thread's body: keeps one camera going, and passes its believable frames on."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cleandesk.camera.area import Area
from cleandesk.camera.frame import Frame
from cleandesk.camera.protocol import Camera, CameraError, CameraFactory
from cleandesk.camera.recovery import Ladder, Step
from cleandesk.camera.sink import Sink
from cleandesk.camera.source import SourceKind
from cleandesk.camera.state import Board
from cleandesk.camera.watch import Watch
from cleandesk.clock import Clock, Instant
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings
from cleandesk.watchdog import Heartbeat

log = logging.getLogger(__name__)

Wait = Callable[[threading.Event, float], bool]

#: A call into the source takes so long at most: before that, the loop has ended a process whose
#: driver hangs (`capture.HANG_S`), in order.
_CALL_S = 90.0
#: And making a frame ready takes so long.
_WORK_S = 30.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What a keeper works with.

    Attributes:
        factory: Makes the camera.
        sink: Where frames go.
        area: What of a picture may be looked at.
        settings: The camera's.
        kind: The family of its source.
        clock: For ages and pacing.
        board: Where it says how it does.
        ladder: What it does about failures.
        wait: Waits so many seconds and says whether it was stopped meanwhile.
        heartbeat: The thread's.
    """

    factory: CameraFactory
    sink: Sink[Frame]
    area: Area
    settings: CameraSettings
    kind: SourceKind
    clock: Clock
    board: Board
    ladder: Ladder
    wait: Wait
    heartbeat: Heartbeat


class Keeper:
    """Opens, reads, watches, recovers; until it is stopped or the recording is over.

    Attributes:
        let_go: No camera is open; one that could not be closed may still look.
    """

    def __init__(self, tools: Tools, stop: threading.Event) -> None:
        self._tools = tools
        self._stop = stop
        self._camera: Camera | None = None
        self._open = False
        self.let_go = True
        self._watch = Watch(tools.settings.black_after_s, None)
        self._last: Instant | None = None

    def run(self) -> None:
        """Run until stopped or done; nothing that a source does ends it silently."""
        self._tools.heartbeat.beat(_CALL_S)
        try:
            self._go_on()
        finally:
            self._close()
        self._tools.heartbeat.end()  # what died otherwise falls silent

    def _go_on(self) -> None:
        while not self._stop.is_set():
            failure = self._until_failure()
            if failure is None or not self._recover(failure):
                return

    def _until_failure(self) -> CameraError | None:
        """Deliver frames until something fails; None if it was stopped first."""
        try:
            self._deliver()
        except CameraError as error:
            failure = error
        except Exception as error:
            log.exception("unexpected error in a camera", extra={"camera": self._tools.board.name})
            failure = CameraError(
                CameraFault.BROKEN,
                f"{self._tools.board.name}: unexpected {type(error).__name__}; the log has more, "
                "please report it",
            )
        else:
            return None
        return None if self._stop.is_set() else failure

    def _deliver(self) -> None:
        camera = self._camera or self._make()
        if not self._open:
            self.let_go = False
            with self._calling("open"):
                camera.open()
            self._open = True
        while not self._stop.is_set():
            with self._calling("read"):
                frame = camera.read(self._tools.settings.timeout_s)
            # First of all: then nothing else ever holds what lies outside, and no frame that is
            # thrown away leaves it behind in memory.
            self._receive(camera, self._tools.area.blank(frame))

    def _make(self) -> Camera:
        self._camera = camera = self._tools.factory()
        self._tools.board.name = camera.name
        self._watch = Watch(self._tools.settings.black_after_s, camera.frozen_after_s)
        return camera

    def _receive(self, camera: Camera, frame: Frame) -> None:
        """Pace a frame, judge it, and hand it on if it can be believed."""
        if camera.live:
            due_s = frame.at.mono - self._tools.clock.now().mono
            if due_s > 0 and self._wait(due_s):
                return
        now = self._tools.clock.now()
        self._last = frame.at
        board = self._tools.board
        board.frame(now)
        sight = self._watch.look(frame)
        if sight.fault is not None:
            detail = f"{camera.name}: {self._explain(camera, sight.fault)}"
            board.faulty(sight.fault, detail, sight.since or frame.at)
            if sight.fault is CameraFault.FROZEN and self._tools.kind.reconnects:
                raise CameraError(sight.fault, detail)
        self._tools.ladder.delivered(frame.at.mono)
        if sight.usable and not self._stop.is_set():
            board.good(now)
            self._hand_on(camera, frame)

    def _hand_on(self, camera: Camera, frame: Frame) -> None:
        if camera.live:
            self._tools.sink.put(frame)
        else:
            self._tools.heartbeat.end()  # for as long as the loop takes
            self._tools.sink.put_wait(frame, unless=self._stop)

    def _explain(self, camera: Camera, fault: CameraFault) -> str:
        if fault is CameraFault.BLACK:
            return (
                f"black for {self._tools.settings.black_after_s:g} s; uncover the lens or turn on "
                "the light"
            )
        return (
            f"the same picture to the last bit for {camera.frozen_after_s:g} s; restart the "
            "camera if it does not recover by itself"
        )

    def _recover(self, failure: CameraError) -> bool:
        """Take the next step of the ladder; False if there is none, or it was stopped."""
        tools = self._tools
        now = tools.clock.now()
        if not tools.kind.reconnects:
            tools.board.faulty(failure.fault, failure.detail, self._last or now, final=True)
            return False
        tools.board.faulty(failure.fault, failure.detail, now)
        remedy = tools.ladder.failed(failure.fault)
        log.info(
            "camera recovery",
            extra={"step": remedy.step.value, "delay_s": round(remedy.delay_s, 1)},
        )
        if remedy.step is Step.FLUSH:
            return True
        if remedy.step is Step.GIVE_UP:
            tools.board.give_up()
        self._close()
        if self._wait(remedy.delay_s):
            return False
        tools.board.reopened()
        return True

    def _wait(self, seconds: float) -> bool:
        """Wait, and say whether it was stopped meanwhile."""
        self._tools.heartbeat.beat(seconds + _WORK_S)
        return self._tools.wait(self._stop, seconds)

    def _close(self) -> None:
        """Close the camera; one that cannot even be closed is opened again all the same."""
        self._open = False
        if self._camera is None:
            self.let_go = True
            return
        try:
            with self._calling("close"):
                self._camera.close()
            self.let_go = True
        except Exception:
            log.exception("cannot close the camera", extra={"camera": self._camera.name})

    @contextlib.contextmanager
    def _calling(self, call: str) -> Iterator[None]:
        now = self._tools.clock.now()
        self._tools.board.doing(call, now)
        self._tools.heartbeat.beat(_CALL_S, now.mono)
        try:
            yield
        finally:
            self._tools.board.done()
            self._tools.heartbeat.beat(_WORK_S)
