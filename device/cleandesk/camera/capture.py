"""The capture thread: started, stopped and asked how it does."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace

from cleandesk.camera.area import Area
from cleandesk.camera.frame import Frame
from cleandesk.camera.keeper import Keeper, Tools, Wait
from cleandesk.camera.protocol import CameraFactory
from cleandesk.camera.recovery import Ladder, LadderSettings
from cleandesk.camera.sink import Sink
from cleandesk.camera.source import SourceKind, kind_of, public_name
from cleandesk.camera.state import Board, CaptureState
from cleandesk.clock import Clock, Instant
from cleandesk.settings import CameraSettings
from cleandesk.watchdog import Heartbeat

log = logging.getLogger(__name__)

#: A call into a source that takes so long hangs in the kernel: only the process's end helps.
HANG_S = 60.0


def ladder_for(kind: SourceKind) -> LadderSettings:
    """Return how a source of a kind is recovered.

    A stream is dead after a time-out, so flushing it is of no use; and no restart of ours mends
    another machine.
    """
    return LadderSettings() if kind.local else LadderSettings(flushes=0, reopens=None)


class Capture:
    """Opens a camera, reads it, watches its pictures, and opens it again when it fails.

    Pixels outside the area are blanked as soon as a picture is there, before anything else.

    Args:
        factory: Makes the camera; called in the thread.
        sink: Where frames go: the newest wins if the camera is live, else none is lost.
        settings: The camera's.
        clock: For ages and pacing.
        area: What of the pictures may be looked at.
        ladder: How it recovers; default: as its kind of source needs.
        on_change: Called in the capture thread when fault, `ended` or `give_up` change.
        wait: Waits for a paced frame's moment or the next try, and says whether it was stopped
            meanwhile.

    Attributes:
        heartbeat: Of the thread.
    """

    def __init__(
        self,
        factory: CameraFactory,
        sink: Sink[Frame],
        settings: CameraSettings,
        clock: Clock,
        *,
        area: Area,
        ladder: Ladder | None = None,
        on_change: Callable[[CaptureState], None] | None = None,
        wait: Wait = threading.Event.wait,
    ) -> None:
        self._sink = sink
        self._timeout_s = settings.timeout_s
        self._board = Board(public_name(settings.source), on_change)
        kind = kind_of(settings.source)
        self.heartbeat = Heartbeat("capture", lambda: clock.now().mono)
        self._tools = Tools(
            factory=factory,
            sink=sink,
            area=area,
            settings=settings,
            kind=kind,
            clock=clock,
            board=self._board,
            ladder=ladder or Ladder(ladder_for(kind), random.random),
            wait=wait,
            heartbeat=self.heartbeat,
        )
        self._stop = threading.Event()
        self._keeper: Keeper | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: If it runs, or still hangs in the driver since it was stopped.
        """
        if self._thread is not None and self._thread.is_alive():
            raise RuntimeError("the capture thread still runs: stop it, or restart the process")
        self._stop = threading.Event()
        self._board.begin()
        self._keeper = Keeper(self._tools, self._stop)
        self._thread = threading.Thread(target=self._keeper.run, name="capture", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Stop the sensor and the thread; a frame that was not taken yet is thrown away.

        Returns:
            Whether it has let go; False if it hangs in the driver for longer than the time-out, or
            could not be closed: then only the process's end helps.
        """
        if self._thread is None or self._keeper is None:
            return True
        self._stop.set()
        self._sink.clear()
        self._thread.join(timeout_s)
        self._sink.clear()
        keeps = self._thread.is_alive() or not self._keeper.let_go
        if keeps:
            log.error(
                "the camera does not let go; end the process to free it",
                extra={"camera": self._board.name},
            )
        return not keeps

    def state(self, now: Instant) -> CaptureState:
        """Return how the camera does; true even while the thread hangs in a system call."""
        state = self._board.read(now, timeout_s=self._timeout_s, hang_s=HANG_S)
        return replace(state, dropped=self._sink.dropped)
